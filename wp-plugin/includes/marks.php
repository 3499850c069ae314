<?php
/**
 * Marking: a hook only says "this was touched". The extension writes the first mark of a thing as an intent.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Order;
use WC_Product;
use WP_User;

defined( 'ABSPATH' ) || exit;

/** A process without visitors (an import, a queue) is not kept waiting for its end to tell what it did. */
const BACKGROUND_MARKS   = 200;
const BACKGROUND_SECONDS = 5;

/**
 * What this request marked and has not captured, and what it captured as deleted.
 */
final class Marks {
	/**
	 * Verbs said, by "resource:id".
	 *
	 * @var array<string, array<string, true>>
	 */
	public static array $said = array();

	/**
	 * Orders that were looked up because a hook passed only their id.
	 *
	 * @var array<int, true>
	 */
	public static array $sought = array();

	/**
	 * Resource and id captured as deleted, by "resource:id".
	 *
	 * @var array<string, array{0: string, 1: int}>
	 */
	public static array $deleted = array();

	/**
	 * Whether anything at all was marked or captured, so that the request has to be finished.
	 *
	 * @var bool
	 */
	public static bool $used = false;

	/**
	 * When the oldest mark was made, in monotonic seconds; null without marks.
	 *
	 * @var float|null
	 */
	public static ?float $since = null;
}

/**
 * Marks a thing as touched. Never throws, never prints; after the first time in a request it costs nothing.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 * @param string $verb     created, updated, deleted or restored.
 */
function mark( string $resource, int $id, string $verb = 'updated' ): void {
	$key = $resource . ':' . $id;
	if ( $id <= 0 || isset( Marks::$said[ $key ][ $verb ] ) || isset( Marks::$deleted[ $key ] ) ) {
		return;
	}
	guarded(
		static function () use ( $resource, $id, $verb, $key ): void {
			if ( ! captures() ) {
				return;
			}
			\nexpura_mark( $resource, $id, $verb );
			Marks::$used                  = true;
			Marks::$said[ $key ][ $verb ] = true;
			Marks::$since               ??= hrtime( true ) / 1e9;
			capture_in_background();
		},
		null,
		'marking'
	);
}

/**
 * The id that a hook passed: some callers pass the object itself, some nothing of use.
 *
 * @param mixed $passed What a hook passed.
 */
function id_passed( mixed $passed ): int {
	if ( is_object( $passed ) ) {
		$passed = $passed instanceof WP_User ? $passed->ID : ( method_exists( $passed, 'get_id' ) ? $passed->get_id() : 0 );
	}
	return is_numeric( $passed ) ? max( 0, (int) $passed ) : 0;
}

/**
 * Whether a thing is marked already, so that a caller can spare itself the work of finding out what it is.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 */
function is_marked( string $resource, int $id ): bool {
	$key = $resource . ':' . $id;
	return isset( Marks::$said[ $key ] ) || isset( Marks::$deleted[ $key ] );
}

/**
 * Reads a thing that is about to be removed for good and captures it at once: afterwards there is nothing to read.
 *
 * @param string                      $resource order, product or customer.
 * @param WC_Order|WC_Product|WP_User $thing    What is about to go.
 */
function capture_deletion( string $resource, WC_Order|WC_Product|WP_User $thing ): void {
	$id  = $thing instanceof WP_User ? $thing->ID : $thing->get_id();
	$key = $resource . ':' . $id;
	if ( $id <= 0 || isset( Marks::$deleted[ $key ] ) ) {
		return;
	}
	guarded(
		static function () use ( $resource, $id, $key, $thing ): void {
			if ( ! captures() || is_unborn( $thing ) ) {
				return;
			}
			$reading = undisturbed( static fn(): ?array => guarded( static fn(): ?array => read_settled( $resource, $id ), null, 'reading what is deleted' ) );
			// Whatever went wrong with the reading, a deletion says at least what is gone.
			$payload = $reading['payload'] ?? array( 'id' => $id );
			$facts   = $reading['facts'] ?? array( 'rev' => null );
			\nexpura_capture( $resource, $id, 'deleted', to_json( $payload ), to_json( $facts ) );
			Marks::$used            = true;
			Marks::$deleted[ $key ] = array( $resource, $id );
			unset( Marks::$said[ $key ] );
		},
		null,
		'capturing a deletion'
	);
}

/**
 * Captures what is marked in the middle of a long-running process: an import, a queue, WP-Cron.
 */
function capture_in_background(): void {
	$background = ( defined( 'WP_CLI' ) && \WP_CLI ) || wp_doing_cron() || 'cli' === PHP_SAPI;
	if ( ! $background || null === Marks::$since ) {
		return;
	}
	if ( count( Marks::$said ) > BACKGROUND_MARKS || hrtime( true ) / 1e9 - Marks::$since > BACKGROUND_SECONDS ) {
		capture_marked();
	}
}

// A queue runs many actions in one process, renewals of subscriptions among them: each is told when it is done.
add_action(
	'action_scheduler_after_execute',
	static function (): void {
		if ( array() !== Marks::$said ) {
			guarded( __NAMESPACE__ . '\capture_marked', null, 'capturing after a scheduled action' );
		}
	}
);
