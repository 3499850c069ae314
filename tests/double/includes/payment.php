<?php
/**
 * Ways to pay.
 */

declare(strict_types=1);

/** A way to pay. */
abstract class WC_Payment_Gateway {

	/** Its id. */
	public string $id = '';

	/** What the customer sees it called. */
	public string $title = '';

	/** What the merchant sees it called. */
	public string $method_title = '';

	/** yes or no. */
	public string $enabled = 'yes';

	/** @var list<string> What it can do. */
	public array $supports = array( 'products' );

	/**
	 * Takes the money, or says that it will come.
	 *
	 * @param int $order_id The order.
	 * @return array<string,string>
	 */
	abstract public function process_payment( $order_id );

	/** Where the customer goes afterwards. */
	public function get_return_url( WC_Order $order ): string {
		return home_url( '/?order-received=' . $order->get_id() );
	}
}

/** Cash on delivery and bank transfer: the order gets a status, payment_complete() is not called. */
final class Double_Later_Gateway extends WC_Payment_Gateway {

	/** One that leaves orders in a status. */
	public function __construct( string $id, string $title, private readonly string $status ) {
		$this->id    = $id;
		$this->title = $title;
	}

	/** Sets the status. */
	public function process_payment( $order_id ) {
		$order = wc_get_order( $order_id );
		$order->update_status( $this->status );
		return array( 'result' => 'success', 'redirect' => $this->get_return_url( $order ) );
	}
}

/** The gateway of an id; null where there is none. */
function double_gateway( string $id ): ?WC_Payment_Gateway {
	$gateways = array(
		new Double_Later_Gateway( 'cod', 'Cash on delivery', 'processing' ),
		new Double_Later_Gateway( 'bacs', 'Bank transfer', 'on-hold' ),
	);
	foreach ( apply_filters( 'woocommerce_payment_gateways', $gateways ) as $gateway ) {
		$gateway = is_string( $gateway ) ? new $gateway() : $gateway;
		if ( $gateway->id === $id ) {
			return $gateway;
		}
	}
	return null;
}
