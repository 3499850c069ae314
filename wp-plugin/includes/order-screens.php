<?php
/**
 * "In Nexpura" on WooCommerce's order screens: a box beside each order, a column in their list. Both order storages.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Order;
use WP_Post;

defined( 'ABSPATH' ) || exit;

/** The column's name. */
const ORDER_COLUMN = 'nexpura';

add_action(
	'add_meta_boxes',
	static function ( $screen ): void {
		if ( is_connected() && null === woocommerce_problem() && wc_get_page_screen_id( 'shop-order' ) === $screen ) {
			add_meta_box( 'nexpura-order', __( 'In Nexpura', 'nexpura' ), __NAMESPACE__ . '\show_order_box', $screen, 'side', 'high' );
		}
	}
);

/**
 * The box.
 *
 * @param WC_Order|WP_Post $shown What the screen passes: the order itself, or its post.
 */
function show_order_box( WC_Order|WP_Post $shown ): void {
	$order = $shown instanceof WC_Order ? $shown : wc_get_order( $shown->ID );
	if ( ! is_order( $order ) || is_unborn( $order ) ) {
		echo '<p>' . esc_html__( 'A draft. Nexpura hears of it once it is an order.', 'nexpura' ) . '</p>';
		return;
	}
	$id       = $order->get_id();
	$standing = standing( array( $id ) );
	$thing    = $standing->orders[ $id ] ?? null;
	$words    = state_in_words( 'order', $id, $thing, $standing->problem );
	echo '<p>';
	show_state( $words, (string) ( $thing['sale_url'] ?? '' ) );
	echo '</p>';
	$mark = synced_in_words( synced( 'order', array( $id ) )[ $id ] ?? null, 'failed' === $words['state'] );
	foreach ( array_filter( array( $words['detail'], $mark ) ) as $sentence ) {
		echo '<p class="description">' . esc_html( $sentence ) . '</p>';
	}
	show_cause( $words['cause'] );
	if ( 'in-ledger' !== $words['state'] ) {
		show_retry( 'order', $id, __( 'Try again now', 'nexpura' ) );
	}
}

foreach ( array( 'manage_woocommerce_page_wc-orders_columns', 'manage_edit-shop_order_columns' ) as $nexpura_hook ) {
	add_filter(
		$nexpura_hook,
		static function ( $columns ): array {
			$columns = (array) $columns;
			if ( is_connected() && null === woocommerce_problem() ) {
				$columns[ ORDER_COLUMN ] = __( 'In Nexpura', 'nexpura' );
			}
			return $columns;
		},
		20
	);
}
foreach ( array( 'manage_woocommerce_page_wc-orders_custom_column', 'manage_shop_order_posts_custom_column' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $column, $order = null ): void {
			if ( ORDER_COLUMN === $column ) {
				show_order_cell( id_passed( $order ) );
			}
		},
		10,
		2
	);
}
unset( $nexpura_hook );

/**
 * One order's cell.
 *
 * @param int $id The order's id.
 */
function show_order_cell( int $id ): void {
	$standing = standing_of_listed( $id );
	$thing    = $standing->orders[ $id ] ?? null;
	$words    = state_in_words( 'order', $id, $thing, $standing->problem );
	show_state( $words, (string) ( $thing['sale_url'] ?? '' ) );
	if ( 'not-known' === $words['state'] ) {
		// What the relay does not say now, the shop may know by itself.
		$mark = synced_in_words( synced_of_page( 'order', $id, __NAMESPACE__ . '\listed_orders' ) );
		echo '' === $mark ? '' : '<small>' . esc_html( $mark ) . '</small>';
	}
	if ( 'failed' === $words['state'] ) {
		echo '<small>' . esc_html( $words['detail'] ) . '</small>';
		show_cause( $words['cause'] );
		show_retry( 'order', $id, __( 'Try again now', 'nexpura' ) );
	}
}

/**
 * How the orders of the present page stand: one request for all of them, made by the first cell.
 *
 * @param int $id The cell's order.
 */
function standing_of_listed( int $id ): Standing {
	static $answers = array();
	foreach ( $answers as $answer ) {
		if ( isset( $answer->orders[ $id ] ) || '' !== $answer->problem ) {
			return $answer;
		}
	}
	$pages     = array_filter( array_chunk( listed_orders(), STANDING_IDS ), static fn( array $page ): bool => in_array( $id, $page, true ) );
	$answer    = standing( array() === $pages ? array( $id ) : reset( $pages ) );
	$answers[] = $answer;
	return $answer;
}

/**
 * The orders of the list's present page.
 *
 * @param int[]|null $found What the list has just read, to be remembered.
 * @return int[]
 */
function listed_orders( ?array $found = null ): array {
	static $ids = array();
	if ( null !== $found ) {
		$ids = $found;
	}
	if ( array() === $ids && 'legacy' === order_storage() ) {
		return posts_of_page();
	}
	return $ids;
}

// Orders in tables of their own: the next query after this filter is the list's.
add_filter(
	'woocommerce_order_list_table_prepare_items_query_args',
	static function ( $args ) {
		add_filter( 'woocommerce_order_query', __NAMESPACE__ . '\note_listed_orders' );
		return $args;
	},
	PHP_INT_MAX
);

/**
 * Notes which orders the list has read.
 *
 * @param mixed $results What the query gives: a page of orders.
 */
function note_listed_orders( mixed $results ): mixed {
	remove_filter( 'woocommerce_order_query', __NAMESPACE__ . '\note_listed_orders' );
	$orders = is_object( $results ) ? ( $results->orders ?? array() ) : $results;
	listed_orders( array_values( array_map( __NAMESPACE__ . '\id_passed', is_array( $orders ) ? $orders : array() ) ) );
	return $results;
}
