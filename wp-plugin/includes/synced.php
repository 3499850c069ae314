<?php
/**
 * Which orders, products and customers Nexpura has brought over: `POST wc-nexpura/v1/synced` marks them.
 *
 * The marks stand in a table of their own. In WooCommerce's own data each would change its row's modification date, fire
 * the shop's hooks and webhooks, and have whoever reads by date read everything anew.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_Error;
use WP_REST_Request;
use WP_REST_Response;

defined( 'ABSPATH' ) || exit;

const SYNCED_SCHEMA_OPTION  = 'nexpura_synced_schema';
const SYNCED_SCHEMA_VERSION = '1';
/** As many things as a request may name (relay/src/channel/woocommerce/synced.rs). */
const MAX_SYNCED = 200;

/**
 * The table's name in this blog.
 */
function synced_table(): string {
	global $wpdb;
	return $wpdb->prefix . 'nexpura_synced';
}

/**
 * Makes the table where it is not there.
 */
function ensure_synced_table(): void {
	if ( marks_synced() ) {
		return;
	}
	global $wpdb;
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	$table   = synced_table();
	$collate = $wpdb->get_charset_collate();
	dbDelta(
		"CREATE TABLE {$table} (
			resource varchar(16) NOT NULL,
			id bigint(20) unsigned NOT NULL,
			synced_at datetime NOT NULL,
			PRIMARY KEY  (resource,id)
		) {$collate};"
	);
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	if ( null !== $wpdb->get_var( $wpdb->prepare( 'SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) ) ) {
		update_option( SYNCED_SCHEMA_OPTION, SYNCED_SCHEMA_VERSION, true );
	}
}

/**
 * Whether anything was ever marked in this blog.
 */
function marks_synced(): bool {
	return SYNCED_SCHEMA_VERSION === get_option( SYNCED_SCHEMA_OPTION );
}

add_action(
	'rest_api_init',
	static function (): void {
		register_rest_route(
			REST_NAMESPACE,
			'/synced',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\answer_synced',
				// That the key may write is WooCommerce's to see to, as for its own routes.
				'permission_callback' => static fn(): bool|WP_Error => current_user_can( 'manage_woocommerce' )
					? true
					: new WP_Error( 'nexpura_forbidden', __( 'This needs a WooCommerce key of a shop manager or administrator.', 'nexpura' ), array( 'status' => rest_authorization_required_code() ) ),
			)
		);
	}
);

/**
 * Marks what was brought over: ids by `order`, `product` and `customer`.
 *
 * @param WP_REST_Request $request The request.
 * @return WP_REST_Response|WP_Error
 */
function answer_synced( WP_REST_Request $request ): WP_REST_Response|WP_Error {
	$named = array();
	foreach ( array( 'order', 'product', 'customer' ) as $resource ) {
		$ids = $request->get_json_params()[ $resource ] ?? array();
		if ( ! is_array( $ids ) || array_filter( $ids, static fn( mixed $id ): bool => ! is_int( $id ) || $id < 1 ) ) {
			return new WP_Error( 'nexpura_synced', __( 'Expected lists of ids.', 'nexpura' ), array( 'status' => 400 ) );
		}
		foreach ( $ids as $id ) {
			$named[] = array( $resource, $id );
		}
	}
	if ( count( $named ) > MAX_SYNCED ) {
		return new WP_Error( 'nexpura_synced', __( 'Expected at most 200 ids.', 'nexpura' ), array( 'status' => 400 ) );
	}
	if ( array() !== $named && ! mark_synced( $named ) ) {
		return new WP_Error( 'nexpura_synced', __( 'The database refused the marks.', 'nexpura' ), array( 'status' => 500 ) );
	}
	return new WP_REST_Response( array( 'marked' => count( $named ) ) );
}

/**
 * Notes that these things were brought over just now; `false` when the database refuses.
 *
 * @param array{string, int}[] $named Kind and WooCommerce's id of each; at least one.
 */
function mark_synced( array $named ): bool {
	global $wpdb;
	$rows = implode( ',', array_fill( 0, count( $named ), '(%s,%d,UTC_TIMESTAMP())' ) );
	// phpcs:ignore WordPress.DB
	$sql = $wpdb->prepare( 'INSERT INTO ' . synced_table() . " (resource, id, synced_at) VALUES {$rows} ON DUPLICATE KEY UPDATE synced_at = VALUES(synced_at)", array_merge( ...$named ) );
	ensure_synced_table();
	$hushed = $wpdb->suppress_errors();
	$marked = $wpdb->query( $sql ); // phpcs:ignore WordPress.DB
	$wpdb->suppress_errors( $hushed );
	if ( false !== $marked ) {
		return true;
	}
	// Somebody may have removed the table, or copied a database without it.
	delete_option( SYNCED_SCHEMA_OPTION );
	ensure_synced_table();
	return false !== $wpdb->query( $sql ); // phpcs:ignore WordPress.DB
}

/**
 * Forgets all marks: another ledger has not brought over what the one before has.
 */
function forget_synced(): void {
	global $wpdb;
	if ( marks_synced() ) {
		$hushed = $wpdb->suppress_errors();
		$wpdb->query( 'DELETE FROM ' . synced_table() ); // phpcs:ignore WordPress.DB
		$wpdb->suppress_errors( $hushed );
	}
}

/**
 * When things were last brought over, in seconds since 1970, by id; what never was is not in the answer.
 *
 * @param string $resource order, product or customer.
 * @param int[]  $ids      WooCommerce's ids.
 * @return array<int, int>
 */
function synced( string $resource, array $ids ): array {
	if ( ! marks_synced() || array() === $ids ) {
		return array();
	}
	global $wpdb;
	$places = implode( ',', array_fill( 0, count( $ids ), '%d' ) );
	// On a page that people look at a table that somebody has removed is no error.
	$hushed = $wpdb->suppress_errors();
	// phpcs:ignore WordPress.DB
	$rows = $wpdb->get_results( $wpdb->prepare( 'SELECT id, synced_at FROM ' . synced_table() . " WHERE resource = %s AND id IN ({$places})", array_merge( array( $resource ), array_values( $ids ) ) ) );
	$wpdb->suppress_errors( $hushed );
	$found = array();
	foreach ( (array) $rows as $row ) {
		$found[ (int) $row->id ] = (int) strtotime( $row->synced_at . ' UTC' );
	}
	return $found;
}

/**
 * A mark in words, for people; empty for what was never brought over.
 *
 * @param int|null $at      When it was, in seconds since 1970.
 * @param bool     $earlier Whether what was brought over then is not how the thing stands now.
 */
function synced_in_words( ?int $at, bool $earlier = false ): string {
	if ( null === $at ) {
		return '';
	}
	$moment = (string) wp_date( get_option( 'date_format' ) . ', ' . get_option( 'time_format' ), $at );
	return $earlier
		/* translators: %s: date and time. */
		? sprintf( __( 'An earlier state was synced: %s.', 'nexpura' ), $moment )
		/* translators: %s: date and time. */
		: sprintf( __( 'Synced with Nexpura: %s.', 'nexpura' ), $moment );
}
