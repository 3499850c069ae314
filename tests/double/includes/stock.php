<?php
/**
 * Stock leaves with an order and comes back with its cancellation.
 */

declare(strict_types=1);

/**
 * Adds to or takes from a stock in one statement, and says so.
 *
 * @param WC_Product $product   Whose stock.
 * @param int|float  $quantity  How many.
 * @param string     $operation increase or decrease.
 */
function wc_update_product_stock( WC_Product $product, int|float $quantity, string $operation ): int {
	global $wpdb;
	$owner = wc_get_product( $product->get_stock_managed_by_id() );
	$kind  = $owner->is_type( 'variation' ) ? 'variation' : 'product';
	do_action( "woocommerce_{$kind}_before_set_stock", $owner );
	$wpdb->query(
		$wpdb->prepare(
			"UPDATE {$wpdb->postmeta} SET meta_value = meta_value + %d WHERE post_id = %d AND meta_key = '_stock'",
			'increase' === $operation ? $quantity : -$quantity,
			$owner->get_id()
		)
	);
	wp_cache_delete( $owner->get_id(), 'post_meta' );
	do_action( 'woocommerce_updated_product_stock', $owner->get_id() );
	$owner = wc_get_product( $owner->get_id() );
	$owner->save();
	do_action( "woocommerce_{$kind}_set_stock", $owner );
	return (int) $owner->get_stock_quantity();
}

/** Takes an order's units from stock, once. */
function wc_maybe_reduce_stock_levels( int $order_id ): void {
	$order = wc_get_order( $order_id );
	if ( ! $order || $order->get_order_stock_reduced() ) {
		return;
	}
	foreach ( $order->get_items() as $item ) {
		$product = $item->get_product();
		if ( ! $product || ! $product->managing_stock() || $item->get_meta( '_reduced_stock' ) ) {
			continue;
		}
		$after = wc_update_product_stock( $product, $item->get_quantity(), 'decrease' );
		$item->update_meta_data( '_reduced_stock', (string) $item->get_quantity() );
		$order->save_items();
		$change = array( 'product' => $product, 'from' => $after + $item->get_quantity(), 'to' => $after );
		do_action( 'woocommerce_reduce_order_item_stock', $item, $change, $order );
	}
	do_action( 'woocommerce_reduce_order_stock', $order );
	$order->set_order_stock_reduced( true );
}

/** Gives an order's units back, once. */
function wc_maybe_increase_stock_levels( int $order_id ): void {
	$order = wc_get_order( $order_id );
	if ( ! $order || ! $order->get_order_stock_reduced() ) {
		return;
	}
	foreach ( $order->get_items() as $item ) {
		$reduced = (int) $item->get_meta( '_reduced_stock' );
		$product = $item->get_product();
		if ( ! $reduced || ! $product ) {
			continue;
		}
		$after = wc_update_product_stock( $product, $reduced, 'increase' );
		$item->delete_meta_data( '_reduced_stock' );
		$order->save_items();
		do_action( 'woocommerce_restore_order_item_stock', $item, $after, $after - $reduced, $order );
	}
	do_action( 'woocommerce_restore_order_stock', $order );
	$order->set_order_stock_reduced( false );
}

foreach ( array( 'woocommerce_payment_complete', 'woocommerce_order_status_completed', 'woocommerce_order_status_processing', 'woocommerce_order_status_on-hold' ) as $store_double_hook ) {
	add_action( $store_double_hook, 'wc_maybe_reduce_stock_levels' );
}
foreach ( array( 'woocommerce_order_status_cancelled', 'woocommerce_order_status_pending' ) as $store_double_hook ) {
	add_action( $store_double_hook, 'wc_maybe_increase_stock_levels' );
}
unset( $store_double_hook );
