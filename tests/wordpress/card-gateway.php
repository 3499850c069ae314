<?php
/**
 * A card as the tests pay with it.
 */

declare(strict_types=1);

defined( 'ABSPATH' ) || exit;

/**
 * Calls payment_complete(), or declines where the checkout sent `nexpura_tests_card` = `decline`.
 */
final class Nexpura_Tests_Card_Gateway extends WC_Payment_Gateway {

	/** Sets it up, always enabled. */
	public function __construct() {
		$this->id           = 'nexpura_tests_card';
		$this->title        = 'Card';
		$this->method_title = 'Card (tests)';
		$this->enabled      = 'yes';
		$this->supports     = array( 'products', 'refunds' );
	}

	/**
	 * Pays the order, or fails it.
	 *
	 * @param int $order_id The order.
	 * @return array<string,string>
	 */
	public function process_payment( $order_id ) {
		$order = wc_get_order( $order_id );
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- WooCommerce has checked its own.
		if ( 'decline' === ( $_POST['nexpura_tests_card'] ?? '' ) ) {
			$order->update_status( 'failed', 'The card was declined.' );
			return array( 'result' => 'failure' );
		}
		$order->payment_complete( 'card-' . $order_id );
		return array(
			'result'   => 'success',
			'redirect' => $this->get_return_url( $order ),
		);
	}

	/**
	 * Gives money back.
	 *
	 * @param int        $order_id The order.
	 * @param float|null $amount   How much.
	 * @param string     $reason   Why.
	 */
	public function process_refund( $order_id, $amount = null, $reason = '' ): bool {
		return true;
	}
}
