/**
 * Actors on the kernel's own queues: typed contracts, mailboxes, supervision; here, in workers, in
 * processes.
 *
 * A {@linkcode protocol} says what an actor understands, {@linkcode actor} what it does, and a
 * {@linkcode system} runs it: in this isolate, in a worker, or in a process of its own.
 *
 * @example A counter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { actor, msg, protocol, system } from "@postbox/postbox/actor";
 * import { f64, struct } from "@postbox/postbox/region";
 *
 * const Counter = protocol("counter", {
 *   add: msg(struct("add", { by: f64 })), // or any Standard Schema: zod, valibot, arktype
 *   total: msg().reply(struct("total", { n: f64 })),
 * });
 * const counterActor = actor(import.meta, Counter, (_context, init: { start: number }) => {
 *   let n = init.start;
 *   return {
 *     add({ by }) {
 *       n += by;
 *     },
 *     total: () => ({ n }),
 *   };
 * });
 *
 * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
 * const counter = await shop.spawn(counterActor, { init: { start: 40 } });
 * await counter.add({ by: 2 });
 * assertEquals(await counter.total({ timeoutMs: 1000 }), { n: 42 });
 * ```
 *
 * @module
 */

export { ClosedError, LayoutError, PosixError } from "../errors.ts";
export { type HandledIds, handledIds, type HandledIdsFields, once } from "./delivery/once.ts";
export {
  ActorError,
  type ActorErrorCode,
  type ActorErrorInit,
  describeExit,
  type Exit,
  MailboxFull,
  type ValidatedPart,
  ValidationError,
  type ValidationErrorInit,
  type ValidationIssue,
} from "./errors.ts";
export type { Guarantees } from "./delivery/guarantees.ts";
export { type Clock, realClock, type TimerOptions, VirtualClock } from "./flow/clock.ts";
export {
  type DeadLetter,
  DeadLetters,
  type DeadLettersOptions,
  type DeadReason,
  type LetterParts,
  type ListOptions,
} from "./flow/dead_letters.ts";
export type { LogLevel, LogOptions } from "./flow/log.ts";
export type { RemovedSystem } from "./memory/dead_system.ts";
export type { ObjectKind, SystemObject } from "./memory/journal.ts";
export { listSystems, removeSystem, type SystemStatus, systemStatus } from "./memory/leftovers.ts";
export type { ChildOutput, WorkerLimits } from "./launch/launched.ts";
export { child, type ChildSpec, type RefsOf } from "./protocol/child.ts";
export type { Context, ContextLog, Spawner } from "./protocol/context.ts";
export {
  actor,
  type ActorDefinition,
  type ActorOptions,
  type AnyActorDefinition,
  IS_ACTOR,
  type ModuleMeta,
} from "./protocol/definition.ts";
export type {
  Handler,
  Handlers,
  PayloadOf,
  ReplyOf,
  Turn,
  WithoutUnknown,
} from "./protocol/handlers.ts";
export type {
  Ask,
  CodecFor,
  Content,
  Delivery,
  InputOf,
  MessageOptions,
  MessageSpec,
  MessageType,
  Nothing,
  OutputOf,
  ReplyOptions,
  Shape,
  Stream,
  Tell,
} from "./protocol/message.ts";
export type { CodecChoice, CodecName } from "./protocol/codec_choice.ts";
export { msg } from "./protocol/msg.ts";
export { type ReservedKind, tagOf } from "./protocol/names.ts";
export {
  type AnyProtocol,
  type KindSpec,
  type Messages,
  type MessagesOf,
  type Protocol,
  protocol,
  type WithoutReserved,
} from "./protocol/protocol.ts";
export {
  ADDRESS,
  type Address,
  addressOf,
  type AnswerOf,
  type AnyRef,
  type AskOptions,
  type IsNothing,
  type Method,
  type Ref,
  type StreamOptions,
  type TellOptions,
} from "./protocol/ref.ts";
export type {
  BufferOptions,
  CommonSpawnOptions,
  DeadlineOptions,
  DeliveryOptions,
  Down,
  HereOptions,
  InitOption,
  Keep,
  OnFull,
  ProcessOptions,
  QueueOptions,
  RestartOptions,
  RingOptions,
  SpawnArguments,
  SpawnOptions,
  WorkerOptions,
} from "./protocol/spawn_options.ts";
export type {
  SchemaInput,
  SchemaOutput,
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaProps,
  StandardSchemaResult,
} from "./protocol/standard_schema.ts";
export type { BareContent, BareInput, BareOutput } from "./runtime/bare_content.ts";
export { BareMailbox, type MailboxOptions } from "./runtime/bare_mailbox.ts";
export { BarePeer, type BareSendOptions } from "./runtime/bare_peer.ts";
export { System, system, type SystemOptions } from "./runtime/system.ts";
export type { Strategy } from "./supervision/strategy.ts";
export { Probe, type ProbeMessage, type ProbeReply, type ProbeWait } from "./testing/probe.ts";
export { type ReceivedPayload } from "./testing/probe.ts";
export { TestSystem, testSystem, type TestSystemOptions } from "./testing/test_system.ts";
