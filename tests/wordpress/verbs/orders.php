<?php
/**
 * What a merchant does to an order, by the same functions that the admin's pages call.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * How an order stands.
 *
 * @param array{order:int} $args Which.
 * @return array<string,mixed>
 */
function order( array $args ): array {
	$order = the_order( $args['order'] );
	$lines = array();
	foreach ( $order->get_items() as $line ) {
		$product = $line->get_product();
		$lines[] = array(
			'id'       => $line->get_id(),
			'sku'      => $product ? $product->get_sku() : null,
			'quantity' => $line->get_quantity(),
			'reduced'  => $line->get_meta( '_reduced_stock' ),
		);
	}
	return array(
		'id'       => $order->get_id(),
		'number'   => $order->get_order_number(),
		'status'   => $order->get_status(),
		'total'    => $order->get_total( 'edit' ),
		'currency' => $order->get_currency(),
		'refunded' => $order->get_total_refunded(),
		'key'      => $order->get_order_key(),
		'lines'    => $lines,
	);
}

/**
 * An order typed in by the merchant, still to be paid.
 *
 * @param array{lines:array<string,int>} $args Quantities by SKU.
 */
function create_order( array $args ): int {
	$order = wc_create_order( array( 'created_via' => 'admin' ) );
	foreach ( $args['lines'] as $sku => $quantity ) {
		$order->add_product( by_sku( (string) $sku ), $quantity );
	}
	$order->calculate_totals();
	return $order->save();
}

/**
 * The money came.
 *
 * @param array{order:int} $args Which.
 */
function pay( array $args ): bool {
	return the_order( $args['order'] )->payment_complete( 'paid-' . $args['order'] );
}

/**
 * Sets its status: processing, completed, on-hold, cancelled, failed, pending, refunded.
 *
 * @param array{order:int,status:string} $args Which, and to what.
 */
function set_status( array $args ): bool {
	return the_order( $args['order'] )->update_status( $args['status'], '', true );
}

/**
 * Changes how many units a line has, as the edit page of the order does.
 *
 * @param array{order:int,sku:string,quantity:int} $args Which line, and to how many.
 */
function edit_line( array $args ): bool {
	require_once WC_ABSPATH . 'includes/admin/wc-admin-functions.php';
	$order = the_order( $args['order'] );
	$line  = line_of( $order, $args['sku'] );
	$each  = (float) $line->get_subtotal() / $line->get_quantity();
	$id    = $line->get_id();
	wc_save_order_items(
		$order->get_id(),
		array(
			'order_item_id'  => array( $id ),
			'order_item_qty' => array( $id => $args['quantity'] ),
			'line_subtotal'  => array( $id => wc_format_decimal( $each * $args['quantity'] ) ),
			'line_total'     => array( $id => wc_format_decimal( $each * $args['quantity'] ) ),
		)
	);
	$order = the_order( $args['order'] );
	$order->calculate_totals();
	return true;
}

/**
 * Takes a line off the order, as the edit page does: stock that it had reduced is given back.
 *
 * @param array{order:int,sku:string} $args Which line.
 */
function remove_line( array $args ): bool {
	require_once WC_ABSPATH . 'includes/admin/wc-admin-functions.php';
	$order = the_order( $args['order'] );
	$line  = line_of( $order, $args['sku'] );
	wc_maybe_adjust_line_item_product_stock( $line, 0 );
	$line->delete();
	$order = the_order( $args['order'] );
	$order->calculate_totals();
	return true;
}

/**
 * Gives units of one line back with their money.
 *
 * @param array{order:int,sku:string,quantity:int,restock:bool} $args What, how many, and whether they return to stock.
 */
function refund( array $args ): int {
	$order = the_order( $args['order'] );
	$line  = line_of( $order, $args['sku'] );
	$share = $args['quantity'] / $line->get_quantity();
	$money = (float) $line->get_total() * $share;
	$taxes = array_map( static fn( $tax ) => (float) $tax * $share, array_filter( $line->get_taxes()['total'] ) );

	$refund = wc_create_refund(
		array(
			'order_id'      => $order->get_id(),
			'amount'        => wc_format_decimal( $money + array_sum( $taxes ), wc_get_price_decimals() ),
			'reason'        => $args['reason'] ?? '',
			'line_items'    => array(
				$line->get_id() => array(
					'qty'          => $args['quantity'],
					'refund_total' => $money,
					'refund_tax'   => $taxes,
				),
			),
			'restock_items' => $args['restock'],
		)
	);
	if ( is_wp_error( $refund ) ) {
		throw new \RuntimeException( $refund->get_error_message() );
	}
	return $refund->get_id();
}

/**
 * Puts it into the trash.
 *
 * @param array{order:int} $args Which.
 */
function trash( array $args ): bool {
	return the_order( $args['order'] )->delete( false );
}

/**
 * Takes it out of the trash.
 *
 * @param array{order:int} $args Which.
 */
function untrash( array $args ): bool {
	$order = the_order( $args['order'] );
	return $order->untrash();
}

/**
 * Removes it for good.
 *
 * @param array{order:int} $args Which.
 */
function delete( array $args ): bool {
	return the_order( $args['order'] )->delete( true );
}

/** The order of an id; an exception where there is none. */
function the_order( int $id ): \WC_Order {
	$order = wc_get_order( $id );
	if ( ! $order instanceof \WC_Order ) {
		throw new \RuntimeException( "there is no order $id" );
	}
	return $order;
}

/** The line of an order that sells a SKU. */
function line_of( \WC_Order $order, string $sku ): \WC_Order_Item_Product {
	foreach ( $order->get_items() as $line ) {
		$product = $line->get_product();
		if ( $product && $product->get_sku() === $sku ) {
			return $line;
		}
	}
	throw new \RuntimeException( "order {$order->get_id()} has no line of $sku" );
}
