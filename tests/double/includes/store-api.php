<?php
/**
 * The Store API's cart and checkout, known to a visitor by the Cart-Token header.
 */

declare(strict_types=1);

/** What shipping costs. */
const DOUBLE_SHIPPING = '10.00';

/** A visitor's cart: quantities by product, and the order that a failed payment left. */
final class Double_Cart {

	/** @var array<int,int> Quantities by product or variation id. */
	public array $items = array();

	/** The order to be paid again, or 0. */
	public int $order = 0;

	/** One known by its token. */
	private function __construct( public readonly string $token ) {
	}

	/** The cart of a request; a new one where it names none. */
	public static function of( WP_REST_Request $request ): self {
		$cart = new self( (string) ( $request->get_header( 'cart_token' ) ?: wc_rand_hash() ) );
		$kept = get_transient( 'double_cart_' . $cart->token );
		if ( is_array( $kept ) ) {
			list( $cart->items, $cart->order ) = $kept;
		}
		return $cart;
	}

	/** Keeps it. */
	public function keep(): void {
		set_transient( 'double_cart_' . $this->token, array( $this->items, $this->order ), DAY_IN_SECONDS );
	}

	/** It as an answer. */
	public function answer( int $status = 200 ): WP_REST_Response {
		$items = array();
		foreach ( $this->items as $id => $quantity ) {
			$items[] = array( 'id' => $id, 'quantity' => $quantity );
		}
		return new WP_REST_Response( array( 'items' => $items, 'items_count' => array_sum( $this->items ) ), $status, array( 'Cart-Token' => $this->token ) );
	}
}

/** Lays something into the cart. */
function double_add_item( WP_REST_Request $request ): WP_REST_Response|WP_Error {
	$cart     = Double_Cart::of( $request );
	$product  = wc_get_product( $request['id'] );
	$quantity = (int) $request['quantity'];
	if ( ! $product || $quantity < 1 ) {
		return new WP_Error( 'woocommerce_rest_cart_invalid_product', 'This product cannot be added to the cart.', array( 'status' => 400 ) );
	}
	$cart->items[ $product->get_id() ] = ( $cart->items[ $product->get_id() ] ?? 0 ) + $quantity;
	if ( ! $product->has_enough_stock( $cart->items[ $product->get_id() ] ) ) {
		return new WP_Error( 'woocommerce_rest_product_partially_out_of_stock', 'There is not enough stock.', array( 'status' => 400 ) );
	}
	$cart->keep();
	return $cart->answer( 201 );
}

/** Makes the order and has it paid, in WooCommerce's order of events. */
function double_check_out( WP_REST_Request $request ): WP_REST_Response|WP_Error {
	$cart    = Double_Cart::of( $request );
	$gateway = double_gateway( (string) $request['payment_method'] );
	if ( array() === $cart->items || ! $gateway ) {
		return new WP_Error( 'woocommerce_rest_checkout_invalid', 'Nothing to buy, or no way to pay.', array( 'status' => 400 ) );
	}
	foreach ( $cart->items as $id => $quantity ) {
		if ( ! wc_get_product( $id )->has_enough_stock( $quantity ) ) {
			return new WP_Error( 'woocommerce_product_not_enough_stock', 'There is not enough stock.', array( 'status' => 403 ) );
		}
	}
	$order = $cart->order ? wc_get_order( $cart->order ) : double_draft( $cart );
	$order->set_billing( (array) $request['billing_address'] );
	$order->set_shipping( (array) ( $request['shipping_address'] ?? $request['billing_address'] ) );
	$order->set_payment_method( $gateway->id );
	$order->set_payment_method_title( $gateway->title );
	do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
	$order->update_status( 'pending' );
	do_action( 'woocommerce_store_api_checkout_order_processed', $order );
	foreach ( (array) $request['payment_data'] as $field ) {
		$_POST[ $field['key'] ] = $field['value'];
	}
	$result = $gateway->process_payment( $order->get_id() );
	$paid   = 'success' === $result['result'];

	$cart->order = $paid ? 0 : $order->get_id();
	$cart->items = $paid ? array() : $cart->items;
	$cart->keep();
	$order = wc_get_order( $order->get_id() );
	return new WP_REST_Response(
		array(
			'order_id'       => $order->get_id(),
			'status'         => $order->get_status(),
			'order_key'      => $order->get_order_key(),
			'order_number'   => $order->get_order_number(),
			'payment_method' => $gateway->id,
			'payment_result' => array( 'payment_status' => $result['result'], 'payment_details' => array(), 'redirect_url' => $result['redirect'] ?? '' ),
		),
		$paid ? 200 : 400
	);
}

/** The draft that a checkout begins with. */
function double_draft( Double_Cart $cart ): WC_Order {
	$order = new WC_Order();
	$order->set_status( 'checkout-draft' );
	$order->set_created_via( 'store-api' );
	$order->set_shipping_total( DOUBLE_SHIPPING );
	foreach ( $cart->items as $id => $quantity ) {
		$order->add_product( wc_get_product( $id ), $quantity );
	}
	$order->calculate_totals();
	$order->save();
	return $order;
}

add_action(
	'rest_api_init',
	static function (): void {
		$routes = array(
			'/cart'          => array( 'GET', static fn( $request ) => Double_Cart::of( $request )->answer() ),
			'/cart/add-item' => array( 'POST', 'double_add_item' ),
			'/checkout'      => array( 'POST', 'double_check_out' ),
		);
		foreach ( $routes as $route => list( $method, $answer ) ) {
			register_rest_route( 'wc/store/v1', $route, array( 'methods' => $method, 'callback' => $answer, 'permission_callback' => '__return_true' ) );
		}
	}
);
