<?php
/**
 * What nexpura.so offers to PHP code.
 *
 * None of these functions throws, warns or prints, whatever is passed: what is wrong shows in
 * nexpura_status(). None of them waits for the network, except nexpura_drain().
 *
 * php.ini: nexpura.connection, nexpura.spool_dir, nexpura.sender (auto|agent|off), nexpura.spool_max_bytes.
 *
 * @generate-function-entries
 */

/**
 * Sets this request's connection. The spool is opened by the first function that needs it. Where this is
 * not called, php.ini's nexpura.connection holds.
 *
 * @param string $connection `https://<connection id>:<secret>@relay.example`
 * @return string|null Null when it is fine, else what the shop's admin should know and do.
 */
function nexpura_open(string $connection): ?string {}

/**
 * Notes that this request touches something. The first mark of a thing is written to the spool, so that it
 * is known even if the process dies in the next moment; later ones are free. Waits at most some 50 ms a
 * request for other writers.
 *
 * Verbs of one thing join: created stays created when updated follows, deleted and restored win over
 * updated.
 *
 * @param string $resource order, product or customer
 * @param int $id WooCommerce's id
 * @param string $verb created, updated, deleted or restored
 * @return bool Whether the mark is in the spool. If not, it can still be captured.
 */
function nexpura_mark(string $resource, int $id, string $verb = 'updated'): bool {}

/**
 * What this request has marked and not captured yet, in the order of the first marks.
 *
 * @return list<array{resource: string, id: int, verb: string}>
 */
function nexpura_marks(): array {}

/**
 * Writes an event to the spool and closes the mark of that thing, in one transaction that survives a power
 * cut. Works without a mark as well. A null payload, one that is no JSON, or one too large for a push makes
 * a touch: the relay fetches the thing itself.
 *
 * @param string|null $payload The thing as WooCommerce's REST API v3 gives it, JSON text
 * @param string|null $facts What that does not tell, JSON text
 * @return bool Whether the event is in the spool.
 */
function nexpura_capture(string $resource, int $id, string $verb, ?string $payload, ?string $facts): bool {}

/**
 * Ends the request: what is still marked is sent as touches, and a sender is started where none runs and something is
 * to be sent, by whichever process it was left.
 *
 * @return bool Whether all of it is in the spool.
 */
function nexpura_finish(): bool {}

/**
 * Writes the nonce of the shop's lineage as an event.
 *
 * @return bool Whether the event is in the spool.
 */
function nexpura_lineage(string $previous, string $next): bool {}

/**
 * How the connection stands. Writes a probe to the spool, so that `writable` is true only if an event
 * captured now would be kept.
 *
 * @return array{version: string, connection_id: string|null, relay: string|null, spool: string|null,
 *     unsent: int, oldest_unsent_at: int|null, open_intents: int, bytes: int, max_bytes: int,
 *     writable: bool, sender: 'agent'|'thread'|'none', last_sent_at: int|null, last_error: string|null,
 *     clock_offset: int}
 */
function nexpura_status(): array {}

/**
 * Which things of a kind are in the spool, captured and not sent. Of more than a thousand events only the newest
 * thousand are looked through.
 *
 * @param string $resource order, product or customer
 * @return list<int> WooCommerce's ids
 */
function nexpura_waiting(string $resource): array {}

/**
 * Sends what is in the spool until it is empty or the time is up: for CLI and cron. Where somebody else is
 * sending already, waits for them.
 *
 * @param int $seconds at most 3600
 * @return array<string, mixed> nexpura_status(), and `sent`: how many events this call delivered
 */
function nexpura_drain(int $seconds): array {}
