<?php
/**
 * The orders of years: accounts and guests, coupons, post and wrapping, refunds, and every status that a shop has.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/**
 * Orders in the proportions of a real shop, dealt out by their numbers: of 25, fifteen completed, of which four were
 * paid back in part, four in processing, and one each of what else can become of an order. Two of five are guests'.
 *
 * @param int       $count     How many.
 * @param list<int> $owners    What can be bought.
 * @param list<int> $customers Who buys with an account.
 */
function seed_real_orders( int $count, array $owners, array $customers ): void {
	add_custom_status();
	seed_coupon( 'TEN', 'percent', '10' );
	seed_coupon( 'FIVE', 'fixed_cart', '5' );
	in_one_go(
		$count,
		static function ( int $at ) use ( $owners, $customers ): int {
			$order = seed_order( $at, $owners, $customers );
			seed_fate( $order, $at );
			return $order->get_id();
		}
	);
}

/**
 * A coupon that everybody may use.
 *
 * @param string $code   Its code.
 * @param string $type   Its kind.
 * @param string $amount What it takes off.
 */
function seed_coupon( string $code, string $type, string $amount ): void {
	$coupon = new \WC_Coupon();
	$coupon->set_code( $code );
	$coupon->set_discount_type( $type );
	$coupon->set_amount( $amount );
	$coupon->save();
}

/**
 * An order that is still to be paid.
 *
 * @param int       $at        Its place.
 * @param list<int> $owners    What can be bought.
 * @param list<int> $customers Who buys with an account.
 */
function seed_order( int $at, array $owners, array $customers ): \WC_Order {
	$order = new \WC_Order();
	$buyer = $at % count( $customers );
	$guest = in_array( $at % 5, array( 1, 3 ), true );
	// Some who have an account buy without it.
	$email = $guest && 0 !== $at % 7 ? "guest-{$at}@buyers.example" : "buyer-$buyer@buyers.example";
	$order->set_customer_id( $guest ? 0 : $customers[ $buyer ] );
	$order->set_billing_email( $email );
	$order->set_billing_first_name( 'Ada' );
	$order->set_billing_last_name( "Buyer $buyer" );
	$order->set_payment_method( 'bacs' );
	for ( $line = 0; $line <= $at % 3; $line++ ) {
		$piece = $owners[ ( $at * 7 + $line * 31 ) % count( $owners ) ];
		$order->add_product( wc_get_product( $piece ), 0 === $at % 6 ? 2 : 1 );
	}
	if ( 0 !== $at % 5 ) {
		$post = new \WC_Order_Item_Shipping();
		$post->set_method_title( 'Post' );
		$post->set_total( '4.95' );
		$order->add_item( $post );
	}
	if ( 4 === $at % 15 ) {
		$wrapping = new \WC_Order_Item_Fee();
		$wrapping->set_name( 'Wrapping' );
		$wrapping->set_total( '3.33' );
		$order->add_item( $wrapping );
	}
	$order->calculate_totals();
	$order->save();
	foreach ( array( 'TEN' => 8, 'FIVE' => 13 ) as $coupon => $every ) {
		if ( 2 === $at % $every && is_wp_error( $order->apply_coupon( $coupon ) ) ) {
			throw new \RuntimeException( "coupon $coupon does not go with order $at" );
		}
	}
	return $order;
}

/**
 * What became of an order.
 *
 * @param \WC_Order $order Which.
 * @param int       $at    Its place.
 */
function seed_fate( \WC_Order $order, int $at ): void {
	$way = array(
		0 => array(),
		1 => array( 'on-hold' ),
		2 => array( 'failed' ),
		3 => array( 'processing', 'cancelled' ),
		4 => array( 'processing', 'completed' ),
		5 => array( 'processing', 'shipped' ),
		6 => array( 'processing' ),
		7 => array( 'processing' ),
		8 => array( 'processing' ),
		9 => array( 'processing' ),
	)[ $at % 25 ] ?? array( 'processing', 'completed' );
	foreach ( $way as $status ) {
		$order->update_status( $status );
	}
	$line = array_values( $order->get_items() )[0];
	match ( $at % 25 ) {
		4       => seed_refund( $order, (float) $order->get_total(), $order->get_items(), true ),
		10      => seed_refund( $order, (float) $line->get_total() + (float) $line->get_total_tax(), array( $line ), true ),
		11      => seed_refund( $order, (float) $line->get_total() + (float) $line->get_total_tax(), array( $line ), false ),
		12      => seed_refund( $order, 1.37, array(), false ),
		// In two parts.
		13      => array( seed_refund( $order, 0.5, array(), false ), seed_refund( $order, 0.77, array(), false ) ),
		default => null,
	};
}

/**
 * Money that is paid back, and units that come back with it or do not.
 *
 * @param \WC_Order                    $order   Whose.
 * @param float                        $amount  How much.
 * @param array<\WC_Order_Item_Product> $lines   Which lines are given back whole.
 * @param bool                         $restock Whether their units return to stock.
 */
function seed_refund( \WC_Order $order, float $amount, array $lines, bool $restock ): void {
	$items = array();
	foreach ( $lines as $line ) {
		$items[ $line->get_id() ] = array(
			'qty'          => $line->get_quantity(),
			'refund_total' => $line->get_total(),
			'refund_tax'   => array_filter( $line->get_taxes()['total'] ),
		);
	}
	$refund = wc_create_refund(
		array(
			'order_id'      => $order->get_id(),
			'amount'        => wc_format_decimal( $amount, wc_get_price_decimals() ),
			'reason'        => 'It did not fit.',
			'line_items'    => $items,
			'restock_items' => $restock,
		)
	);
	if ( is_wp_error( $refund ) ) {
		throw new \RuntimeException( $refund->get_error_message() );
	}
}
