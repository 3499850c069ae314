<?php
/**
 * Orders, as posts that carry their lines with them.
 */

declare(strict_types=1);

/** @return list<string> The statuses of an order, without the prefix that they are kept with. */
function order_statuses(): array {
	return array( 'pending', 'processing', 'on-hold', 'completed', 'cancelled', 'refunded', 'failed', 'checkout-draft' );
}

/** One product on an order. */
final class WC_Order_Item_Product extends WC_Data {

	protected array $data = array(
		'name'         => '',
		'product_id'   => 0,
		'variation_id' => 0,
		'quantity'     => 0,
		'subtotal'     => '0',
		'total'        => '0',
	);

	/** A line as it is kept. */
	public static function from_kept( array $kept ): self {
		$line       = new self();
		$line->id   = $kept['id'];
		$line->data = $kept['data'];
		$line->meta = $kept['meta'];
		return $line;
	}

	/** As it is kept. */
	public function to_keep(): array {
		return array( 'id' => $this->id, 'data' => $this->data, 'meta' => $this->meta );
	}

	/** @return array<string,mixed> Its meta. */
	public function all_meta(): array {
		return $this->meta;
	}

	/** What it sells; false once that is gone. */
	public function get_product(): WC_Product|false {
		return wc_get_product( $this->data['variation_id'] ?: $this->data['product_id'] );
	}
}

/** Refunds are beyond the double. */
abstract class WC_Order_Refund extends WC_Data {
}

/** An order. */
final class WC_Order extends WC_Data {

	protected array $data = array(
		'status'               => '',
		'currency'             => '',
		'total'                => '0.00',
		'shipping_total'       => '0.00',
		'customer_id'          => 0,
		'order_key'            => '',
		'billing'              => array(),
		'shipping'             => array(),
		'payment_method'       => '',
		'payment_method_title' => '',
		'transaction_id'       => '',
		'created_via'          => '',
		'customer_note'        => '',
		'date_created'         => null,
		'date_modified'        => null,
		'date_paid'            => null,
		'date_completed'       => null,
	);

	/** @var list<WC_Order_Item_Product> Its lines. */
	private array $items = array();

	/** The status that it was last saved with. */
	private string $saved_status = '';

	/** Reads it; an id of 0 makes a new one. */
	public function __construct( int $id = 0 ) {
		$post = $id ? get_post( $id ) : null;
		if ( ! $post ) {
			$this->data['currency']  = get_woocommerce_currency();
			$this->data['order_key'] = 'wc_order_' . wp_generate_password( 13, false );
			return;
		}
		$this->id = $id;
		$kept     = get_post_meta( $id, '_double_order', true );
		$this->data = array(
			'status'        => (string) preg_replace( '/^wc-/', '', $post->post_status ),
			'date_created'  => $post->post_date_gmt,
			'date_modified' => $post->post_modified_gmt,
		) + $kept + $this->data;

		$this->items        = array_map( WC_Order_Item_Product::from_kept( ... ), get_post_meta( $id, '_double_items', true ) ?: array() );
		$this->saved_status = $this->data['status'];
	}

	/** Its type. */
	public function get_type(): string {
		return 'shop_order';
	}

	/** Its number, as people know it. */
	public function get_order_number(): string {
		return (string) $this->id;
	}

	/** @return list<WC_Order_Item_Product> Its lines; of other types it has none. */
	public function get_items( string $type = 'line_item' ): array {
		return 'line_item' === $type ? $this->items : array();
	}

	/** @return array{} It has no refunds. */
	public function get_refunds(): array {
		return array();
	}

	/** What was paid back. */
	public function get_total_refunded(): string {
		return '0';
	}

	/** Whether its units have left the stock. */
	public function get_order_stock_reduced( string $context = 'view' ): bool {
		return 'yes' === get_post_meta( $this->id, '_order_stock_reduced', true );
	}

	/** Notes whether its units have left the stock: at once, and no hook tells of it. */
	public function set_order_stock_reduced( bool $reduced ): void {
		update_post_meta( $this->id, '_order_stock_reduced', $reduced ? 'yes' : 'no' );
	}

	/** Adds a line. */
	public function add_product( WC_Product $product, int $quantity ): void {
		$variation = $product->is_type( 'variation' );
		$line      = new WC_Order_Item_Product();
		$next      = 1 + (int) get_option( 'double_order_items', 0 );
		update_option( 'double_order_items', $next );
		$line->set_id( $next );
		$line->set_name( $product->get_title_on_order() );
		$line->set_product_id( $variation ? $product->get_parent_id() : $product->get_id() );
		$line->set_variation_id( $variation ? $product->get_id() : 0 );
		$line->set_quantity( $quantity );
		$line->set_subtotal( wc_format_decimal( (float) $product->get_price() * $quantity, 2 ) );
		$line->set_total( $line->get_subtotal() );
		$this->items[] = $line;
	}

	/** Adds its lines and shipping up. */
	public function calculate_totals(): void {
		$sum = (float) $this->data['shipping_total'];
		foreach ( $this->items as $line ) {
			$sum += (float) $line->get_total();
		}
		$this->data['total'] = wc_format_decimal( $sum, 2 );
	}

	/** The money came: it is processing, and says so. */
	public function payment_complete( string $transaction_id = '' ): bool {
		do_action( 'woocommerce_pre_payment_complete', $this->id, $transaction_id );
		if ( ! in_array( $this->data['status'], array( 'on-hold', 'pending', 'failed', 'cancelled' ), true ) ) {
			return false;
		}
		$this->data['transaction_id'] = $transaction_id;
		$this->data['date_paid']      = gmdate( 'Y-m-d H:i:s' );
		$this->data['status']         = 'processing';
		$this->save();
		do_action( 'woocommerce_payment_complete', $this->id, $transaction_id );
		return true;
	}

	/** Sets its status and saves it. */
	public function update_status( string $status, string $note = '', bool $manual = false ): bool {
		$this->data['status'] = $status;
		$this->save();
		return true;
	}

	/** Whether something is to be paid still. */
	public function needs_payment(): bool {
		return in_array( $this->data['status'], array( 'pending', 'failed' ), true );
	}

	/** Keeps its lines. */
	public function save_items(): void {
		update_post_meta( $this->id, '_double_items', array_map( static fn( $line ) => $line->to_keep(), $this->items ) );
	}

	/** Saves it and says so, as WooCommerce does: a draft of the checkout's is no order yet. */
	public function save(): int {
		do_action( 'woocommerce_before_order_object_save', $this );
		$first = 0 === $this->id;
		$from  = $this->saved_status;
		if ( '' === $this->data['status'] ) {
			$this->data['status'] = 'pending';
		}
		$to = $this->data['status'];
		if ( 'completed' === $to && ! $this->data['date_completed'] ) {
			$this->data['date_completed'] = gmdate( 'Y-m-d H:i:s' );
		}
		$kept     = array_diff_key( $this->data, array_flip( array( 'status', 'date_created', 'date_modified' ) ) );
		$this->id = wp_insert_post(
			wp_slash(
				array(
					'ID'          => $this->id,
					'post_type'   => 'shop_order',
					'post_title'  => 'Order',
					'post_status' => 'wc-' . $to,
					'meta_input'  => array( '_double_order' => $kept ),
				)
			),
			true
		);
		$this->save_items();
		$post                        = get_post( $this->id );
		$this->data['date_created']  = $post->post_date_gmt;
		$this->data['date_modified'] = $post->post_modified_gmt;

		$this->saved_status = $to;
		$unborn             = 'checkout-draft' === $from || ( $first && 'checkout-draft' !== $to );
		if ( $unborn && 'checkout-draft' !== $to ) {
			do_action( 'woocommerce_new_order', $this->id, $this );
		} elseif ( 'checkout-draft' !== $to ) {
			do_action( 'woocommerce_update_order', $this->id, $this );
		}
		if ( $from !== $to && ! ( $first && 'checkout-draft' === $to ) ) {
			do_action( "woocommerce_order_status_$to", $this->id, $this );
			if ( '' !== $from ) {
				do_action( "woocommerce_order_status_{$from}_to_$to", $this->id, $this );
				do_action( 'woocommerce_order_status_changed', $this->id, $from, $to, $this );
			}
		}
		do_action( 'woocommerce_after_order_object_save', $this );
		return $this->id;
	}
}

/** The order of an id; false where there is none. */
function wc_get_order( mixed $id ): WC_Order|false {
	$id = $id instanceof WP_Post ? $id->ID : (int) $id;
	return 'shop_order' === get_post_type( $id ) ? new WC_Order( $id ) : false;
}

/** The order of a line: lines are kept with their order and say nothing by themselves. */
function wc_get_order_id_by_order_item_id( int $item_id ): int {
	return 0;
}

/** A new order. */
function wc_create_order( array $args = array() ): WC_Order {
	$order = new WC_Order();
	$order->set_created_via( $args['created_via'] ?? '' );
	$order->save();
	return $order;
}
