<?php
/**
 * REST v3, as far as the relay and our plugin read it.
 */

declare(strict_types=1);

/** What the controllers have in common: their filter, and one page of a listing. */
abstract class Double_REST_Controller {

	/** The filter through which others add to an answer. */
	protected const FILTER = '';

	/** @return array<string,mixed> A thing's representation. */
	abstract protected function data( object $thing ): array;

	/** A thing as an answer. */
	public function prepare_object_for_response( object $thing, WP_REST_Request $request ): WP_REST_Response {
		return apply_filters( static::FILTER, new WP_REST_Response( $this->data( $thing ) ), $thing, $request );
	}

	/**
	 * One page of posts.
	 *
	 * @param WP_REST_Request      $request The request: page, offset, per_page, status, modified_after.
	 * @param array<string,mixed>  $query   Which posts.
	 * @param callable(int):object $find    The object of an id.
	 */
	public function page( WP_REST_Request $request, array $query, callable $find ): WP_REST_Response {
		$trash = 'trash' === $request['status'];
		$posts = new WP_Query(
			$query + array(
				'post_status'    => $trash ? 'trash' : array_diff( array_keys( get_post_stati() ), array( 'trash', 'auto-draft' ) ),
				'posts_per_page' => (int) ( $request['per_page'] ?? 10 ),
				'paged'          => (int) ( $request['page'] ?? 1 ),
				'offset'         => $request['offset'],
				'orderby'        => 'ID',
				'order'          => 'ASC',
				'fields'         => 'ids',
				'date_query'     => $request['modified_after'] ? array( array( 'column' => 'post_modified_gmt', 'after' => $request['modified_after'] ) ) : array(),
			)
		);
		$items = array();
		foreach ( $posts->posts as $id ) {
			$items[] = $this->prepare_object_for_response( $find( $id ), $request )->get_data();
		}
		return double_listing( $items, (int) $posts->found_posts, (int) $posts->max_num_pages );
	}
}

/** Orders. */
final class WC_REST_Orders_Controller extends Double_REST_Controller {

	protected const FILTER = 'woocommerce_rest_prepare_shop_order_object';

	protected function data( object $thing ): array {
		$lines = array();
		foreach ( $thing->get_items() as $line ) {
			$product = $line->get_product();
			$meta    = array();
			foreach ( $line->all_meta() as $key => $value ) {
				$meta[] = array( 'id' => crc32( $line->get_id() . $key ), 'key' => $key, 'value' => $value, 'display_key' => $key, 'display_value' => $value );
			}
			$lines[] = array(
				'id'           => $line->get_id(),
				'name'         => $line->get_name(),
				'product_id'   => $line->get_product_id(),
				'variation_id' => $line->get_variation_id(),
				'quantity'     => $line->get_quantity(),
				'tax_class'    => '',
				'subtotal'     => wc_format_decimal( $line->get_subtotal(), 6 ),
				'subtotal_tax' => '0.000000',
				'total'        => wc_format_decimal( $line->get_total(), 6 ),
				'total_tax'    => '0.000000',
				'taxes'        => array(),
				'meta_data'    => $meta,
				'sku'          => $product ? $product->get_sku() : null,
				'price'        => (float) $line->get_total() / max( 1, $line->get_quantity() ),
			);
		}
		$shipping = array();
		if ( (float) $thing->get_shipping_total() > 0 ) {
			$shipping[] = array( 'id' => 1, 'method_title' => 'Post', 'method_id' => 'flat_rate', 'total' => wc_format_decimal( $thing->get_shipping_total(), 6 ), 'total_tax' => '0.000000', 'taxes' => array(), 'meta_data' => array() );
		}
		return array(
			'id'                   => $thing->get_id(),
			'parent_id'            => 0,
			'status'               => $thing->get_status(),
			'currency'             => $thing->get_currency(),
			'version'              => WC_VERSION,
			'prices_include_tax'   => false,
			'date_created'         => double_moment( $thing->get_date_created() ),
			'date_created_gmt'     => double_moment( $thing->get_date_created() ),
			'date_modified'        => double_moment( $thing->get_date_modified() ),
			'date_modified_gmt'    => double_moment( $thing->get_date_modified() ),
			'discount_total'       => '0.000000',
			'discount_tax'         => '0.000000',
			'shipping_total'       => wc_format_decimal( $thing->get_shipping_total(), 6 ),
			'shipping_tax'         => '0.000000',
			'cart_tax'             => '0.000000',
			'total'                => wc_format_decimal( $thing->get_total(), 6 ),
			'total_tax'            => '0.000000',
			'customer_id'          => $thing->get_customer_id(),
			'order_key'            => $thing->get_order_key(),
			'billing'              => $thing->get_billing(),
			'shipping'             => $thing->get_shipping(),
			'payment_method'       => $thing->get_payment_method(),
			'payment_method_title' => $thing->get_payment_method_title(),
			'transaction_id'       => $thing->get_transaction_id(),
			'created_via'          => $thing->get_created_via(),
			'customer_note'        => $thing->get_customer_note(),
			'date_paid'            => double_moment( $thing->get_date_paid() ),
			'date_paid_gmt'        => double_moment( $thing->get_date_paid() ),
			'date_completed'       => double_moment( $thing->get_date_completed() ),
			'date_completed_gmt'   => double_moment( $thing->get_date_completed() ),
			'number'               => $thing->get_order_number(),
			'meta_data'            => array(),
			'line_items'           => $lines,
			'tax_lines'            => array(),
			'shipping_lines'       => $shipping,
			'fee_lines'            => array(),
			'coupon_lines'         => array(),
			'refunds'              => array(),
		);
	}
}

/** Products. */
class WC_REST_Products_Controller extends Double_REST_Controller {

	protected const FILTER = 'woocommerce_rest_prepare_product_object';

	protected function data( object $thing ): array {
		$image      = $thing->get_image_id() ? wp_get_attachment_url( $thing->get_image_id() ) : null;
		$attributes = array();
		foreach ( $thing->get_attributes() as $attribute ) {
			$attributes[] = array( 'id' => 0, 'name' => $attribute->get_name(), 'slug' => $attribute->get_name(), 'position' => 0, 'visible' => true, 'variation' => true, 'options' => $attribute->get_options() );
		}
		return array(
			'name'         => $thing->get_name(),
			'slug'         => $thing->get_slug(),
			'type'         => $thing->get_type(),
			'images'       => $image ? array( array( 'id' => $thing->get_image_id(), 'src' => $image, 'name' => get_the_title( $thing->get_image_id() ), 'alt' => '' ) ) : array(),
			'attributes'   => $attributes,
			'variations'   => $thing instanceof WC_Product_Variable ? $thing->get_children() : array(),
			'categories'   => array( array( 'id' => 1, 'name' => 'Uncategorized', 'slug' => 'uncategorized' ) ),
			'manage_stock' => true === $thing->managing_stock(),
		) + $this->common( $thing );
	}

	/** @return array<string,mixed> What products and variations have in common. */
	protected function common( WC_Product $thing ): array {
		return array(
			'id'                 => $thing->get_id(),
			'permalink'          => $thing->get_permalink(),
			'date_created'       => double_moment( $thing->get_date_created() ),
			'date_created_gmt'   => double_moment( $thing->get_date_created() ),
			'date_modified'      => double_moment( $thing->get_date_modified() ),
			'date_modified_gmt'  => double_moment( $thing->get_date_modified() ),
			'status'             => $thing->get_status(),
			'sku'                => $thing->get_sku(),
			'price'              => $thing->get_price(),
			'regular_price'      => $thing->get_regular_price(),
			'sale_price'         => '',
			'stock_quantity'     => $thing->managing_stock() ? wc_get_product( $thing->get_stock_managed_by_id() )->get_stock_quantity() : null,
			'stock_status'       => $thing->get_stock_status(),
			'backorders'         => $thing->get_backorders(),
			'backorders_allowed' => $thing->backorders_allowed(),
			'tax_class'          => '',
			'parent_id'          => $thing->get_parent_id(),
			'meta_data'          => array(),
		);
	}
}

/** Variations. */
final class WC_REST_Product_Variations_Controller extends WC_REST_Products_Controller {

	protected const FILTER = 'woocommerce_rest_prepare_product_variation_object';

	protected function data( object $thing ): array {
		$attributes = array();
		foreach ( $thing->get_attributes() as $name => $option ) {
			$attributes[] = array( 'id' => 0, 'name' => $name, 'slug' => $name, 'option' => $option );
		}
		return array(
			'name'         => implode( ', ', $thing->get_attributes() ),
			'type'         => 'variation',
			'image'        => null,
			'attributes'   => $attributes,
			'manage_stock' => $thing->managing_stock(),
		) + $this->common( $thing );
	}
}

/** Refunds, of which there are none. */
final class WC_REST_Order_Refunds_Controller extends Double_REST_Controller {

	protected const FILTER = 'woocommerce_rest_prepare_shop_order_refund_object';

	protected function data( object $thing ): array {
		return array();
	}
}

/** Customers. */
final class WC_REST_Customers_Controller extends Double_REST_Controller {

	protected const FILTER = 'woocommerce_rest_prepare_customer';

	protected function data( object $thing ): array {
		return array(
			'id'         => $thing->ID,
			'email'      => $thing->user_email,
			'first_name' => $thing->first_name,
			'last_name'  => $thing->last_name,
			'role'       => 'customer',
			'username'   => $thing->user_login,
			'billing'    => array(),
			'shipping'   => array(),
			'meta_data'  => array(),
		);
	}

	/** A customer as an answer. */
	public function prepare_item_for_response( WP_User $user, WP_REST_Request $request ): WP_REST_Response {
		return $this->prepare_object_for_response( $user, $request );
	}
}

/** A page of a listing with the headers that count it. */
function double_listing( array $items, int $total, int $pages ): WP_REST_Response {
	return new WP_REST_Response( $items, 200, array( 'X-WP-Total' => $total, 'X-WP-TotalPages' => $pages ) );
}

/** A thing of a controller, or WooCommerce's refusal. */
function double_object( Double_REST_Controller $by, object|false $thing, WP_REST_Request $request, string $gone ): WP_REST_Response|WP_Error {
	return $thing ? $by->prepare_object_for_response( $thing, $request ) : new WP_Error( $gone, 'Invalid ID.', array( 'status' => 404 ) );
}

add_action(
	'rest_api_init',
	static function (): void {
		$get = static function ( string $route, callable $answer ): void {
			register_rest_route(
				'wc/v3',
				$route,
				array(
					'methods'             => 'GET',
					'callback'            => $answer,
					'permission_callback' => static fn() => current_user_can( 'manage_woocommerce' )
						?: new WP_Error( 'woocommerce_rest_cannot_view', 'Sorry, you cannot view this resource.', array( 'status' => rest_authorization_required_code() ) ),
				)
			);
		};
		$orders     = new WC_REST_Orders_Controller();
		$products   = new WC_REST_Products_Controller();
		$variations = new WC_REST_Product_Variations_Controller();
		$get( '/orders', static fn( $request ) => $orders->page( $request, array( 'post_type' => 'shop_order' ), 'wc_get_order' ) );
		$get( '/orders/(?P<id>\d+)', static fn( $request ) => double_object( $orders, wc_get_order( $request['id'] ), $request, 'woocommerce_rest_shop_order_invalid_id' ) );
		$get( '/orders/(?P<id>\d+)/refunds', static fn() => double_listing( array(), 0, 0 ) );
		$get( '/products', static fn( $request ) => $products->page( $request, array( 'post_type' => 'product' ), 'wc_get_product' ) );
		$get( '/products/(?P<id>\d+)', static fn( $request ) => double_object( $products, wc_get_product( $request['id'] ), $request, 'woocommerce_rest_product_invalid_id' ) );
		$get( '/products/(?P<parent>\d+)/variations', static fn( $request ) => $variations->page( $request, array( 'post_type' => 'product_variation', 'post_parent' => (int) $request['parent'] ), 'wc_get_product' ) );
		$get( '/products/(?P<parent>\d+)/variations/(?P<id>\d+)', static fn( $request ) => double_object( $variations, wc_get_product( $request['id'] ), $request, 'woocommerce_rest_product_variation_invalid_id' ) );
		$get( '/customers', static fn() => double_listing( array(), 0, 0 ) );
		$get( '/settings/tax/woocommerce_prices_include_tax', static fn() => array( 'id' => 'woocommerce_prices_include_tax', 'value' => 'no' ) );
		$get(
			'/system_status',
			static fn() => array(
				'environment' => array( 'home_url' => get_option( 'home' ), 'version' => WC_VERSION, 'wp_version' => get_bloginfo( 'version' ), 'php_version' => PHP_VERSION ),
				'settings'    => array( 'currency' => get_woocommerce_currency(), 'HPOS_enabled' => false ),
			)
		);
	}
);
