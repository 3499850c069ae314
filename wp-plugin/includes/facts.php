<?php
/**
 * What WooCommerce's REST representation does not tell, read in the same moment as it.
 *
 * The shape is `Facts` of `crates/protocol/src/event.rs`.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Order;
use WC_Order_Item_Product;
use WC_Product;
use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * The facts of an order, product, variation or customer. `rev` is the caller's to fill in.
 *
 * @param WC_Order|WC_Product|WP_User $thing What was read.
 * @return array<string, mixed>
 */
function facts( WC_Order|WC_Product|WP_User $thing ): array {
	if ( $thing instanceof WC_Order ) {
		return order_facts( $thing );
	}
	if ( $thing instanceof WC_Product ) {
		$parent = is_variation( $thing ) ? $thing->get_parent_id( 'edit' ) : 0;
		return array(
			'rev'       => null,
			'parent_id' => $parent > 0 ? $parent : null,
			'stock'     => stock_facts( $thing ),
		);
	}
	return array( 'rev' => null );
}

/**
 * An order's key, stock flag, who owns the stock of each line, and its refunds in full.
 *
 * @param WC_Order $order The order.
 * @return array<string, mixed>
 */
function order_facts( WC_Order $order ): array {
	$lines = array();
	foreach ( $order->get_items( 'line_item' ) as $item ) {
		$product = $item instanceof WC_Order_Item_Product ? $item->get_product() : false;
		$stock   = $product instanceof WC_Product ? stock_facts( $product ) : array(
			'stock_id'   => null,
			'managed'    => false,
			'backorders' => 'no',
		);
		$lines[] = array( 'line_id' => $item->get_id() ) + $stock;
	}
	return array(
		'rev'           => null,
		'order_key'     => $order->get_order_key( 'edit' ),
		'stock_reduced' => $order->get_order_stock_reduced( 'edit' ),
		'lines'         => $lines,
		'refunds'       => represent_refunds( $order ),
	);
}

/**
 * Who owns a product's stock (a parent may own its variations'), and how it is kept.
 *
 * @param WC_Product $product The product or variation.
 * @return array{stock_id: int, managed: bool, backorders: string}
 */
function stock_facts( WC_Product $product ): array {
	$owner_id = (int) $product->get_stock_managed_by_id();
	$owner    = $owner_id === $product->get_id() ? $product : wc_get_product( $owner_id );
	$known    = $owner instanceof WC_Product;
	return array(
		'stock_id'   => $owner_id,
		'managed'    => $known && true === $owner->managing_stock(),
		'backorders' => $known ? (string) $owner->get_backorders( 'edit' ) : 'no',
	);
}
