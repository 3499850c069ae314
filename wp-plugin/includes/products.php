<?php
/**
 * What happens to products and variations, their stock included.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * Marks a product or variation that is at hand.
 *
 * @param mixed  $product What a hook passed.
 * @param string $verb    created, updated, deleted or restored.
 */
function mark_product( mixed $product, string $verb = 'updated' ): void {
	if ( $product instanceof WC_Product && ! is_unborn( $product ) ) {
		mark( 'product', $product->get_id(), $verb );
	}
}

/**
 * The product that a post is, or null.
 *
 * @param mixed $post_id What a post hook passed.
 */
function product_of_post( mixed $post_id ): ?WC_Product {
	$post_id = id_passed( $post_id );
	if ( 0 === $post_id || ! in_array( get_post_type( $post_id ), array( 'product', 'product_variation' ), true ) || ! captures() ) {
		return null;
	}
	$product = guarded( static fn() => wc_get_product( $post_id ), null, 'finding the product of a post' );
	return $product instanceof WC_Product ? $product : null;
}

// Created and changed.
foreach ( array( 'woocommerce_new_product', 'woocommerce_new_product_variation' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id, $product = null ): void {
			null === $product ? mark( 'product', id_passed( $id ), 'created' ) : mark_product( $product, 'created' );
		},
		10,
		2
	);
}
foreach ( array( 'woocommerce_update_product', 'woocommerce_update_product_variation', 'woocommerce_updated_product_stock' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			mark( 'product', id_passed( $id ) );
		}
	);
}
foreach ( array( 'save_post_product', 'save_post_product_variation' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id, $post = null ): void {
			// What is saved past WooCommerce: quick publishing, scheduled publishing, other plugins.
			if ( ! in_array( $post->post_status ?? '', UNBORN, true ) ) {
				mark( 'product', id_passed( $id ) );
			}
		},
		10,
		2
	);
}

// Stock. WooCommerce's one statement for it saves no product object.
foreach ( array( 'woocommerce_product_set_stock', 'woocommerce_variation_set_stock' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $product ): void {
			mark_product( $product );
		}
	);
}
foreach ( array( 'woocommerce_product_set_stock_status', 'woocommerce_variation_set_stock_status' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			mark( 'product', id_passed( $id ) );
		}
	);
}

// Trashed, restored, removed for good: products are posts in every version.
add_action(
	'wp_trash_post',
	static function ( $post_id ): void {
		mark_product( product_of_post( $post_id ), 'deleted' );
	}
);
add_action(
	'untrashed_post',
	static function ( $post_id ): void {
		mark_product( product_of_post( $post_id ), 'restored' );
	}
);
add_action(
	'before_delete_post',
	static function ( $post_id ): void {
		$product = product_of_post( $post_id );
		if ( null !== $product ) {
			capture_deletion( 'product', $product );
		}
	}
);
unset( $nexpura_hook );
