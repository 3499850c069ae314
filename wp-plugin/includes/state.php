<?php
/**
 * What the shop remembers of itself and of its connection.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const STORE_ID_OPTION   = 'nexpura_store_id';
const REGISTERED_OPTION = 'nexpura_registered';
const PROBLEM_OPTION    = 'nexpura_problem';

/**
 * This store's identity, a UUID made once. Two requests at the first moment agree: the row's unique name decides.
 */
function store_id(): string {
	$id = get_option( STORE_ID_OPTION );
	if ( ! is_string( $id ) || '' === $id ) {
		claim_option( STORE_ID_OPTION, wp_generate_uuid4() );
		$id = (string) stored_option( STORE_ID_OPTION );
	}
	return $id;
}

/**
 * An option's text as it stands in the database now, past every cache; null when there is none.
 *
 * @param string $name The option's name.
 */
function stored_option( string $name ): ?string {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	return $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", $name ) );
}

/**
 * Makes an option where there is none: the row's unique name decides between two who try at once.
 *
 * WordPress's add_option() overwrites in that case.
 *
 * @param string $name  The option's name.
 * @param string $value Its text.
 * @return bool Whether this caller made it.
 */
function claim_option( string $name, string $value ): bool {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$made = $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, 'on')", $name, $value ) );
	forget_option( $name );
	return 1 === $made;
}

/**
 * Drops an option from the object cache after a statement of our own.
 *
 * @param string $name The option's name.
 */
function forget_option( string $name ): void {
	wp_cache_delete( $name, 'options' );
	wp_cache_delete( 'alloptions', 'options' );
	wp_cache_delete( 'notoptions', 'options' );
}

/**
 * Sets an option's text where it still is what the caller read: one UPDATE, one winner.
 *
 * WordPress's own `$prev_value` is no such guard, an empty one drops it (wp-includes/meta.php).
 *
 * @param string $name     The option's name; it must exist.
 * @param string $previous What it must be now.
 * @param string $next     What it becomes.
 * @return bool Whether this caller was the one.
 */
function swap_option( string $name, string $previous, string $next ): bool {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$changed = $wpdb->query(
		$wpdb->prepare(
			"UPDATE {$wpdb->options} SET option_value = %s WHERE option_name = %s AND BINARY option_value = %s",
			$next,
			$name,
			$previous
		)
	);
	forget_option( $name );
	return 1 === $changed;
}

/**
 * The registration that holds, or null before the first.
 *
 * @return array{connection_id: string, relay: string, home: string, key_id: int, user_id: int, at: int, mode: string, store: string, fingerprint: string, clock_offset: int}|null
 */
function registered(): ?array {
	$state = get_option( REGISTERED_OPTION );
	return is_array( $state ) && isset( $state['connection_id'], $state['home'] ) ? $state : null;
}

/**
 * The shop's address as the database or wp-config.php has it, not as a translation plugin filters it for a visitor.
 */
function home(): string {
	return untrailingslashit( (string) get_option( 'home' ) );
}

/**
 * Whether two addresses are one shop's: scheme, case and a slash at the end make no other shop.
 *
 * @param string $one   An address.
 * @param string $other Another.
 */
function same_home( string $one, string $other ): bool {
	$bare = static fn( string $url ): string => strtolower( untrailingslashit( (string) preg_replace( '~^[a-z]+://~i', '', $url ) ) );
	return $bare( $one ) === $bare( $other );
}

/**
 * Whether this is a copy of the shop that was registered: capture stops then, until a person reconnects.
 */
function is_moved(): bool {
	$state = registered();
	return null !== $state && ! same_home( $state['home'], home() );
}

/**
 * Whether the connection in use is the one that the relay has accepted, for this address.
 */
function is_connected(): bool {
	$state      = registered();
	$connection = connection();
	return null !== $state && null !== $connection && $state['connection_id'] === $connection->id && ! is_moved();
}
