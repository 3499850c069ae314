<?php
/**
 * Stock from the ledger: `POST wc-nexpura/v1/stock` adds to stocks, each change exactly once.
 *
 * A change is an addition, never a value, so that no sale which happens meanwhile is lost. One UPDATE adds it and
 * stores its number, if that is the next; what comes twice finds its number taken. This needs InnoDB.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Product;
use WP_Error;
use WP_REST_Request;
use WP_REST_Response;

defined( 'ABSPATH' ) || exit;

const PUSHES_SCHEMA_OPTION  = 'nexpura_pushes_schema';
const PUSHES_SCHEMA_VERSION = '1';
/** What the numbers in the table count, by the name that the relay gave to it. */
const PUSHES_LEDGER_OPTION = 'nexpura_pushes_ledger';
/** As many pushes as a request may hold (crates/protocol/src/stock.rs). */
const MAX_PUSHES = 100;
/** Seconds that a signature may be off, either way. */
const SIGNATURE_TOLERANCE = 300;

/**
 * The table's name in this blog: the last push of each stock.
 */
function pushes_table(): string {
	global $wpdb;
	return $wpdb->prefix . 'nexpura_pushes';
}

/**
 * Makes the table where it is not there.
 */
function ensure_pushes_table(): void {
	if ( PUSHES_SCHEMA_VERSION === get_option( PUSHES_SCHEMA_OPTION ) ) {
		return;
	}
	global $wpdb;
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	$table   = pushes_table();
	$collate = $wpdb->get_charset_collate();
	dbDelta(
		"CREATE TABLE {$table} (
			stock_id bigint(20) unsigned NOT NULL,
			push_no bigint(20) unsigned NOT NULL,
			push_id char(36) NOT NULL,
			PRIMARY KEY  (stock_id)
		) ENGINE=InnoDB {$collate};"
	);
	if ( pushes_are_atomic() ) {
		update_option( PUSHES_SCHEMA_OPTION, PUSHES_SCHEMA_VERSION, true );
	}
}

/**
 * Whether one UPDATE over both tables happens wholly or not at all.
 */
function pushes_are_atomic(): bool {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$engines = $wpdb->get_col(
		$wpdb->prepare(
			'SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (%s, %s)',
			pushes_table(),
			$wpdb->postmeta
		)
	);
	return array( 'InnoDB', 'InnoDB' ) === $engines;
}

/**
 * What the numbers in the table count; empty before the first registration.
 */
function pushes_counted(): string {
	return (string) get_option( PUSHES_LEDGER_OPTION, '' );
}

/**
 * Forgets the numbers of all pushes where another count begins: another ledger's, or this one's after it has lost touch.
 *
 * @param string $count What the relay says that is counted from now on.
 */
function begin_pushes_for( string $count ): void {
	global $wpdb;
	ensure_pushes_table();
	if ( pushes_counted() !== $count ) {
		$wpdb->query( 'DELETE FROM ' . pushes_table() ); // phpcs:ignore WordPress.DB
		update_option( PUSHES_LEDGER_OPTION, $count, false );
		forget_synced();
	}
}

add_action(
	'rest_api_init',
	static function (): void {
		register_rest_route(
			REST_NAMESPACE,
			'/stock',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\answer_stock',
				'permission_callback' => __NAMESPACE__ . '\may_push_stock',
			)
		);
		register_rest_route(
			REST_NAMESPACE,
			'/stock/begin',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\answer_begin',
				'permission_callback' => __NAMESPACE__ . '\may_push_stock',
			)
		);
	}
);

/**
 * Whether a request may change stock: a shop manager's key, and a signature under this connection's secret.
 *
 * @param WP_REST_Request $request The request.
 * @return true|WP_Error
 */
function may_push_stock( WP_REST_Request $request ): bool|WP_Error {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return new WP_Error( 'nexpura_forbidden', __( 'This needs a WooCommerce key of a shop manager or administrator.', 'nexpura' ), array( 'status' => rest_authorization_required_code() ) );
	}
	$connection = is_connected() ? connection() : null;
	if ( null === $connection || ! is_signed( $request, $connection->secret ) ) {
		return new WP_Error( 'nexpura_signature', __( 'The signature does not fit this connection, or the clocks are more than five minutes apart.', 'nexpura' ), array( 'status' => 401 ) );
	}
	return true;
}

/**
 * Whether a request carries a Standard Webhooks signature under a secret, made within the last five minutes.
 *
 * @param WP_REST_Request $request The request.
 * @param string          $secret  The connection's secret.
 */
function is_signed( WP_REST_Request $request, #[\SensitiveParameter] string $secret ): bool {
	$id        = (string) $request->get_header( 'webhook-id' );
	$timestamp = (string) $request->get_header( 'webhook-timestamp' );
	if ( '' === $id || ! ctype_digit( $timestamp ) || strlen( $timestamp ) > 12 ) {
		return false;
	}
	$expected = sign( $secret, $id, (int) $timestamp, $request->get_body() );
	$fits     = false;
	foreach ( array_slice( explode( ' ', (string) $request->get_header( 'webhook-signature' ) ), 0, 8 ) as $candidate ) {
		$fits = ( null !== $expected && hash_equals( $expected, $candidate ) ) || $fits;
	}
	return $fits && abs( time() - (int) $timestamp ) <= SIGNATURE_TOLERANCE;
}

/**
 * Forgets the numbers of all pushes: a person has said that this database is the shop, whatever it was told before.
 */
function answer_begin(): WP_REST_Response {
	global $wpdb;
	ensure_pushes_table();
	$wpdb->query( 'DELETE FROM ' . pushes_table() ); // phpcs:ignore WordPress.DB
	return new WP_REST_Response( array( 'status' => 'begun' ) );
}

/**
 * Does each push and says what became of it.
 *
 * @param WP_REST_Request $request The request.
 * @return WP_REST_Response|WP_Error
 */
function answer_stock( WP_REST_Request $request ): WP_REST_Response|WP_Error {
	ensure_pushes_table();
	if ( ! pushes_are_atomic() ) {
		return new WP_Error( 'nexpura_engine', __( 'Stock can only be pushed where the database tables use InnoDB: convert them, or ask your host to.', 'nexpura' ), array( 'status' => 501 ) );
	}
	$pushes = $request->get_json_params()['pushes'] ?? null;
	if ( ! is_array( $pushes ) || ! array_is_list( $pushes ) || count( $pushes ) > MAX_PUSHES ) {
		return new WP_Error( 'nexpura_pushes', __( 'Expected a list of at most 100 pushes.', 'nexpura' ), array( 'status' => 400 ) );
	}
	$results = array();
	foreach ( $pushes as $push ) {
		$results[] = guarded(
			static fn(): array => push_one( is_array( $push ) ? $push : array() ),
			array(
				'push_id' => (string) ( $push['push_id'] ?? '' ),
				'status'  => 'failed',
				'stock'   => null,
			),
			'pushing stock'
		);
	}
	return new WP_REST_Response( array( 'results' => $results ) );
}

/**
 * Does one push.
 *
 * @param array<string, mixed> $push `push_id`, `push_no`, `stock_id`, `delta`.
 * @return array{push_id: string, status: string, stock: string|null} The stock seen is no settled reading.
 */
function push_one( array $push ): array {
	$id       = (string) ( $push['push_id'] ?? '' );
	$number   = (int) ( $push['push_no'] ?? 0 );
	$stock_id = (int) ( $push['stock_id'] ?? 0 );
	$delta    = (string) ( $push['delta'] ?? '' );
	$answer   = static fn( string $status, ?WC_Product $product = null ): array => array(
		'push_id' => $id,
		'status'  => $status,
		'stock'   => null === $product ? null : stock_of( $product->get_id() ),
	);
	if ( ! wp_is_uuid( $id ) || $number < 1 || $stock_id < 1 || ! preg_match( '~^-?\d{1,12}(\.\d{1,3})?$~D', $delta ) || 0.0 === (float) $delta ) {
		return $answer( 'failed' );
	}
	$product = wc_get_product( $stock_id );
	// What was added stays added, whatever became of the product since.
	if ( ( ! $product instanceof WC_Product || ! $product->managing_stock() ) && is_last_push( $stock_id, $number, $id ) ) {
		return $answer( 'duplicate' );
	}
	if ( ! $product instanceof WC_Product ) {
		return $answer( 'missing' );
	}
	if ( ! $product->managing_stock() || $product->get_stock_managed_by_id() !== $stock_id ) {
		return $answer( 'unmanaged' );
	}
	// A shop counts in whole units unless a plugin says otherwise; half a unit would be cut off without a word.
	if ( (float) wc_stock_amount( (float) $delta ) !== (float) $delta ) {
		return $answer( 'failed', $product );
	}
	$status = add_once( $stock_id, $number, $id, $delta );
	if ( 'out_of_order' !== $status ) {
		// Nothing is added here: WooCommerce's own way of changing a stock brings along the hooks, the lookup table
		// and the stock status. Again on a duplicate: the first time may have been cut short.
		wc_update_product_stock( $product, 0, 'increase' );
	}
	return $answer( $status, $product );
}

/**
 * Adds to a stock and stores the push's number, in one UPDATE, if that is the next.
 *
 * @param int    $stock_id Who owns the stock.
 * @param int    $number   The push's number.
 * @param string $id       The push's id.
 * @param string $delta    What to add, as decimal text.
 * @return string applied, duplicate or out_of_order.
 * @throws \RuntimeException When the database refuses.
 */
function add_once( int $stock_id, int $number, string $id, string $delta ): string {
	global $wpdb;
	$table = pushes_table();
	// Both rows must be there to be updated together.
	add_post_meta( $stock_id, '_stock', 0, true );
	// phpcs:disable WordPress.DB
	$wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO {$table} (stock_id, push_no, push_id) VALUES (%d, 0, '')", $stock_id ) );
	$changed = $wpdb->query(
		$wpdb->prepare(
			"UPDATE {$table} p JOIN {$wpdb->postmeta} m ON m.post_id = p.stock_id AND m.meta_key = '_stock'
			SET m.meta_value = m.meta_value + CAST(%s AS DECIMAL(16,3)), p.push_no = %d, p.push_id = %s
			WHERE p.stock_id = %d AND p.push_no = %d",
			$delta,
			$number,
			$id,
			$stock_id,
			$number - 1
		)
	);
	if ( false === $changed ) {
		throw new \RuntimeException( 'the database refused a stock push' );
	}
	wp_cache_delete( $stock_id, 'post_meta' );
	if ( $changed > 0 ) {
		return 'applied';
	}
	// phpcs:enable
	return is_last_push( $stock_id, $number, $id ) ? 'duplicate' : 'out_of_order';
}

/**
 * Whether this was the last push of a stock.
 *
 * @param int    $stock_id Who owns the stock.
 * @param int    $number   The push's number.
 * @param string $id       The push's id.
 */
function is_last_push( int $stock_id, int $number, string $id ): bool {
	global $wpdb;
	$table = pushes_table();
	// phpcs:ignore WordPress.DB
	$last = $wpdb->get_row( $wpdb->prepare( "SELECT push_no, push_id FROM {$table} WHERE stock_id = %d", $stock_id ) );
	return null !== $last && (int) $last->push_no === $number && $last->push_id === $id;
}

/**
 * A stock as the database has it now, as decimal text.
 *
 * @param int $stock_id Who owns the stock.
 */
function stock_of( int $stock_id ): ?string {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	return $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM {$wpdb->postmeta} WHERE post_id = %d AND meta_key = '_stock'", $stock_id ) );
}
