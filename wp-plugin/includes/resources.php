<?php
/**
 * Orders, products and customers as WooCommerce has them now: read past every cache of this process.
 *
 * @package Nexpura
 */

namespace Nexpura;

use Automattic\WooCommerce\Caches\OrderCache;
use WC_Cache_Helper;
use WC_Order;
use WC_Product;
use WP_User;

defined( 'ABSPATH' ) || exit;

/** What WooCommerce saves before it is anything a person made: not captured until it leaves this state. */
const UNBORN = array( 'auto-draft', 'checkout-draft', 'new', 'importing' );

/**
 * The thing itself, or null when it is gone (or never was one of ours).
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 */
function find_resource( string $resource, int $id ): WC_Order|WC_Product|WP_User|null {
	$found = match ( $resource ) {
		'order'    => wc_get_order( $id ),
		'product'  => wc_get_product( $id ),
		'customer' => get_userdata( $id ),
	};
	return match ( $resource ) {
		'order'    => is_order( $found ) ? $found : null,
		'product'  => $found instanceof WC_Product && $found->get_id() > 0 ? $found : null,
		'customer' => $found instanceof WP_User ? $found : null,
	};
}

/**
 * Whether it is an order of a shop (a refund, a subscription and the like are not).
 *
 * @param mixed $thing Anything.
 */
function is_order( mixed $thing ): bool {
	return $thing instanceof WC_Order && 'shop_order' === $thing->get_type() && $thing->get_id() > 0;
}

/**
 * Whether it is a variation, those of other plugins' types included: it has its own address and controller.
 *
 * @param WC_Product $product A product.
 */
function is_variation( WC_Product $product ): bool {
	return $product instanceof \WC_Product_Variation || $product->is_type( 'variation' );
}

/**
 * Whether it is still a draft of WooCommerce's own making.
 *
 * @param WC_Order|WC_Product|WP_User $thing What was found.
 */
function is_unborn( WC_Order|WC_Product|WP_User $thing ): bool {
	return ! $thing instanceof WP_User && in_array( $thing->get_status( 'edit' ), UNBORN, true );
}

/**
 * Forgets what this process (or the object cache) holds of one resource, so that the next read is the database's.
 *
 * Keys are deleted one by one: clean_post_cache() would also fire hooks on which other plugins purge whole pages.
 *
 * @param string $resource order, product or customer.
 * @param int    $id       WooCommerce's id.
 */
function forget_cached( string $resource, int $id ): void {
	if ( 'customer' === $resource ) {
		forget_user( $id );
		return;
	}
	wp_cache_delete( $id, 'posts' );
	wp_cache_delete( $id, 'post_meta' );
	WC_Cache_Helper::invalidate_cache_group( 'object_' . $id );
	if ( 'product' === $resource ) {
		forget_product( $id );
	} else {
		forget_order( $id );
	}
}

/**
 * An order's objects, meta, items and refunds, in either storage.
 *
 * @param int $id The order's id.
 */
function forget_order( int $id ): void {
	global $wpdb;
	wc_get_container()->get( OrderCache::class )->remove( $id );
	// WC_Data_Store passes a call on only to a data store that has the method: the HPOS one, from 9.9 on.
	\WC_Data_Store::load( 'order' )->clear_cached_data( array( $id ) );
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery
	$items = $wpdb->get_col( $wpdb->prepare( "SELECT order_item_id FROM {$wpdb->prefix}woocommerce_order_items WHERE order_id = %d", $id ) );
	foreach ( $items as $item ) {
		wp_cache_delete( 'item-' . $item, 'order-items' );
		wp_cache_delete( (int) $item, 'order_item_meta' );
		WC_Cache_Helper::invalidate_cache_group( 'object_' . $item );
	}
	wp_cache_delete( 'order-items-' . $id, 'orders' );
	$prefix = WC_Cache_Helper::get_cache_prefix( 'orders' );
	foreach ( array( 'refunds', 'total_refunded', 'total_tax_refunded', 'total_shipping_refunded' ) as $sum ) {
		wp_cache_delete( $prefix . $sum . $id, 'orders' );
	}
}

/**
 * A product's type, terms, children and lookup row.
 *
 * @param int $id The product's or variation's id.
 */
function forget_product( int $id ): void {
	WC_Cache_Helper::invalidate_cache_group( 'product_' . $id );
	wp_cache_delete( 'lookup_table', 'object_' . $id );
	foreach ( array( 'product_type', 'product_visibility', 'product_cat', 'product_tag', 'product_shipping_class', 'product_brand' ) as $taxonomy ) {
		wp_cache_delete( $id, $taxonomy . '_relationships' );
	}
	wp_cache_delete( 'product-' . $id, 'products' );
}

/**
 * A user's row and meta.
 *
 * @param int $id The user's id.
 */
function forget_user( int $id ): void {
	wp_cache_delete( $id, 'users' );
	wp_cache_delete( $id, 'user_meta' );
}
