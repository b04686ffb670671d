/** The bands of a queue's priorities: users' messages, then replies, then control. */

/** The largest priority that a message may be given; the least is 0. */
export const MAX_USER_PRIORITY = 32_000;

/** The priority of replies and of items of a stream: before every message, after control. */
export const REPLY_PRIORITY = 32_500;

/** The priority of control frames: cancels, credits, orders. The largest that Linux has. */
export const CONTROL_PRIORITY = 32_767;
