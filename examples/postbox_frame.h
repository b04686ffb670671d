/*
 * Frames of Postbox in C: read, judge and write them. docs/wire.md says what each field means.
 *
 * It needs nothing but a C11 compiler and a little-endian machine. Copy it.
 */
#ifndef POSTBOX_FRAME_H
#define POSTBOX_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { POSTBOX_HEADER_BYTES = 64 };

enum postbox_kind {
  POSTBOX_TELL = 1, POSTBOX_ASK, POSTBOX_OPEN, POSTBOX_REPLY, POSTBOX_FAILED, POSTBOX_TAKEN,
  POSTBOX_ITEM, POSTBOX_END, POSTBOX_CREDIT, POSTBOX_CANCEL, POSTBOX_GRANT
};
enum postbox_codec {
  POSTBOX_NONE, POSTBOX_MESSAGEPACK, POSTBOX_JSON, POSTBOX_CLONE, POSTBOX_RAW, POSTBOX_STRUCT
};
enum postbox_flag {
  POSTBOX_BY_REFERENCE = 1, POSTBOX_WANTS_TAKEN = 2, POSTBOX_REPLY_NAME = 4, POSTBOX_RING = 8
};
enum postbox_priority {
  POSTBOX_MAX_USER_PRIORITY = 32000, POSTBOX_REPLY_PRIORITY = 32500, POSTBOX_CONTROL_PRIORITY = 32767
};

/* The header as it lies in a frame: its fields have no holes between them. */
struct postbox_header {
  unsigned char magic[2];
  uint8_t version, kind, codec, flags;
  uint16_t reply_name_bytes;
  uint32_t payload_bytes, tag;
  uint32_t to, to_incarnation, from, from_actor, epoch, sequence;
  uint64_t expires;
  uint32_t attempt, argument, zero, checksum;
};
_Static_assert(sizeof(struct postbox_header) == POSTBOX_HEADER_BYTES, "the header has no holes");

/* A frame that was judged. Reply name and payload point into the bytes; neither ends with a zero. */
struct postbox_frame {
  struct postbox_header header;
  const char *reply_name;
  const unsigned char *payload;
};

/* CRC-32C, a byte at a time; `crc` is that of the bytes before, 0 for none. */
static inline uint32_t postbox_crc32c(uint32_t crc, const void *bytes, size_t length) {
  static uint32_t table[256];
  if (table[1] == 0) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t entry = byte;
      for (int bit = 0; bit < 8; bit++) entry = entry >> 1 ^ (entry & 1 ? 0x82f63b78u : 0);
      table[byte] = entry;
    }
  }
  crc = ~crc;
  for (const unsigned char *at = bytes; length > 0; at++, length--) {
    crc = crc >> 8 ^ table[(crc ^ *at) & 0xff];
  }
  return ~crc;
}

/* The tag of a kind of messages: that of "counter.add" is FNV-1a of these bytes. */
static inline uint32_t postbox_tag(const char *protocol_and_kind) {
  uint32_t hash = 0x811c9dc5u;
  for (const char *at = protocol_and_kind; *at != 0; at++) {
    hash = (hash ^ (unsigned char)*at) * 0x01000193u;
  }
  return hash;
}

/* Of everything but itself. */
static inline uint32_t postbox_checksum(const void *bytes, size_t length) {
  uint32_t crc = postbox_crc32c(0, bytes, POSTBOX_HEADER_BYTES - 4);
  const unsigned char *rest = (const unsigned char *)bytes + POSTBOX_HEADER_BYTES;
  return postbox_crc32c(crc, rest, length - POSTBOX_HEADER_BYTES);
}

/* Takes bytes apart that somebody sent. NULL if they are a frame, else what is wrong with them. */
static inline const char *postbox_read(const void *bytes, size_t length, struct postbox_frame *into) {
  struct postbox_header *header = &into->header;
  if (length < POSTBOX_HEADER_BYTES) return "short";
  memcpy(header, bytes, POSTBOX_HEADER_BYTES);
  if (header->magic[0] != 'P' || header->magic[1] != 'B') return "magic";
  if (header->version != 1) return "version";
  uint64_t said = (uint64_t)POSTBOX_HEADER_BYTES + header->reply_name_bytes + header->payload_bytes;
  if (said != length) return "length";
  if (header->checksum != postbox_checksum(bytes, length)) return "checksum";
  if (header->kind < POSTBOX_TELL || header->kind > POSTBOX_GRANT) return "kind";
  if (header->codec > POSTBOX_STRUCT) return "codec";
  if (header->codec == POSTBOX_NONE && header->payload_bytes > 0) return "codec";
  if (header->flags > 15) return "flags";
  if (header->zero != 0) return "zero";
  if (header->expires > (UINT64_C(1) << 53) - 1) return "expires";
  int has_name = (header->flags & POSTBOX_REPLY_NAME) != 0;
  if (has_name != (header->reply_name_bytes > 0) || header->reply_name_bytes > 255) {
    return "reply-name";
  }
  into->reply_name = (const char *)bytes + POSTBOX_HEADER_BYTES;
  into->payload = (const unsigned char *)into->reply_name + header->reply_name_bytes;
  return NULL;
}

/*
 * Writes a frame; magic, version, lengths and checksum of the header are filled in.
 * Gives its length, or 0 where there is no room.
 */
static inline size_t postbox_write(void *into, size_t room, struct postbox_header header,
                                   const char *reply_name, const void *payload, size_t length) {
  size_t name_bytes = reply_name == NULL ? 0 : strlen(reply_name);
  if (name_bytes > 255 || length > UINT32_MAX) return 0;
  size_t total = POSTBOX_HEADER_BYTES + name_bytes + length;
  if (total > room) return 0;
  memcpy(header.magic, "PB", 2);
  header.version = 1;
  header.reply_name_bytes = (uint16_t)name_bytes;
  header.payload_bytes = (uint32_t)length;
  if (name_bytes > 0) header.flags |= POSTBOX_REPLY_NAME;
  unsigned char *at = into;
  if (name_bytes > 0) memcpy(at + POSTBOX_HEADER_BYTES, reply_name, name_bytes);
  if (length > 0) memcpy(at + POSTBOX_HEADER_BYTES + name_bytes, payload, length);
  memcpy(at, &header, POSTBOX_HEADER_BYTES);
  header.checksum = postbox_checksum(into, total);
  memcpy(at, &header, POSTBOX_HEADER_BYTES);
  return total;
}

#endif
