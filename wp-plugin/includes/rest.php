<?php
/**
 * What the relay reads over REST: the facts beside WooCommerce's own answers, and how this plugin stands.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WC_Order;
use WC_Product;
use WP_Error;
use WP_REST_Request;
use WP_REST_Response;
use WP_User;

defined( 'ABSPATH' ) || exit;

const REST_NAMESPACE = 'wc-nexpura/v1';

/**
 * When the reading for a request began, by the database's clock; only requests with `nexpura=1` have an entry.
 */
final class Readings {
	/**
	 * The moment by request.
	 *
	 * @var \WeakMap<WP_REST_Request, string>|null
	 */
	private static ?\WeakMap $began = null;

	/**
	 * Notes that a reading begins.
	 *
	 * @param WP_REST_Request $request The request.
	 * @param string          $moment  The database's time.
	 */
	public static function begin( WP_REST_Request $request, string $moment ): void {
		self::$began           ??= new \WeakMap();
		self::$began[ $request ] = $moment;
	}

	/**
	 * When the reading for a request began; null when Nexpura's facts were not asked for.
	 *
	 * @param mixed $request The request.
	 */
	public static function began( mixed $request ): ?string {
		return $request instanceof WP_REST_Request ? self::$began[ $request ] ?? null : null;
	}
}

/**
 * What a route of WooCommerce's gives, as one of our resources; null for any other route.
 *
 * @param string $route For example `/wc/v3/products/7/variations`.
 */
function resource_of_route( string $route ): ?string {
	return match ( 1 ) {
		preg_match( '~^/wc/v3/orders(/\d+)?$~', $route ) => 'order',
		preg_match( '~^/wc/v3/products(/\d+(/variations(/\d+)?)?)?$~', $route ) => 'product',
		preg_match( '~^/wc/v3/customers(/\d+)?$~', $route ) => 'customer',
		default => null,
	};
}

add_filter(
	'rest_request_before_callbacks',
	static function ( $response, $handler = null, $request = null ) {
		return guarded(
			static function () use ( $response, $request ) {
				if ( ! $request instanceof WP_REST_Request || ! in_array( $request->get_query_params()['nexpura'] ?? '', array( '1', 1 ), true ) ) {
					return $response;
				}
				$resource = resource_of_route( $request->get_route() );
				if ( null === $resource ) {
					return $response;
				}
				// The same reading as in an event, unless the caller asks for another.
				foreach ( READING as $name => $value ) {
					if ( ! isset( $request->get_query_params()[ $name ] ) ) {
						$request->set_param( $name, $value );
					}
				}
				// Before anything is read: a counter that moves from now on belongs to no answer of this request.
				Readings::begin( $request, database_now() ?? '' );
				if ( 'GET' === $request->get_method() && null !== $request['id'] ) {
					// A shared object cache can hold an older state than the counter tells of.
					forget_cached( $resource, absint( $request['id'] ) );
				}
				return $response;
			},
			$response,
			'preparing an answer'
		);
	},
	10,
	3
);

foreach ( array( 'woocommerce_rest_prepare_shop_order_object', 'woocommerce_rest_prepare_product_object', 'woocommerce_rest_prepare_product_variation_object', 'woocommerce_rest_prepare_customer' ) as $nexpura_hook ) {
	add_filter( $nexpura_hook, __NAMESPACE__ . '\add_facts', PHP_INT_MAX, 3 );
}
unset( $nexpura_hook );

/**
 * Adds `nexpura` to one representation.
 *
 * @param mixed $response The response.
 * @param mixed $thing    What it represents.
 * @param mixed $request  The request it answers.
 */
function add_facts( mixed $response, mixed $thing = null, mixed $request = null ): mixed {
	if ( null === Readings::began( $request ) || ! $response instanceof WP_REST_Response ) {
		return $response;
	}
	if ( ! $thing instanceof WC_Order && ! $thing instanceof WC_Product && ! $thing instanceof WP_User ) {
		return $response;
	}
	return guarded(
		static function () use ( $response, $thing ) {
			$data            = $response->get_data();
			$data['nexpura'] = facts( $thing );
			$response->set_data( $data );
			return $response;
		},
		$response,
		'adding facts to an answer'
	);
}

add_filter(
	'rest_request_after_callbacks',
	static function ( $response, $handler = null, $request = null ) {
		$moment = Readings::began( $request );
		// Where nothing is captured nobody raises the counters: they would call an old reading new.
		if ( null === $moment || '' === $moment || ! $response instanceof WP_REST_Response || ! captures() ) {
			return $response;
		}
		return guarded(
			static function () use ( $response, $request, $moment ) {
				$response->set_data( with_revisions( $response->get_data(), (string) resource_of_route( $request->get_route() ), $moment ) );
				return $response;
			},
			$response,
			'adding revisions to an answer'
		);
	},
	10,
	3
);

/**
 * Fills in `rev` where the counter did not move while the answer was built; the whole page with one query.
 *
 * @param mixed  $data     One representation, or a list of them.
 * @param string $resource order, product or customer.
 * @param string $moment   When the reading began.
 */
function with_revisions( mixed $data, string $resource, string $moment ): mixed {
	if ( ! is_array( $data ) ) {
		return $data;
	}
	$single    = ! array_is_list( $data );
	$items     = $single ? array( $data ) : $data;
	$ids       = array_map( 'absint', array_column( $items, 'id' ) );
	$revisions = revisions_before( $resource, $ids, $moment );
	foreach ( $items as &$item ) {
		if ( isset( $item['nexpura'], $item['id'] ) ) {
			$item['nexpura']['rev'] = $revisions[ (int) $item['id'] ] ?? null;
		}
	}
	unset( $item );
	return $single ? $items[0] : $items;
}

add_action(
	'rest_api_init',
	static function (): void {
		register_rest_route(
			REST_NAMESPACE,
			'/status',
			array(
				'methods'             => 'GET',
				'callback'            => __NAMESPACE__ . '\answer_status',
				'permission_callback' => static fn(): bool|WP_Error => current_user_can( 'manage_woocommerce' )
					? true
					: new WP_Error( 'nexpura_forbidden', __( 'This needs a WooCommerce key of a shop manager or administrator.', 'nexpura' ), array( 'status' => rest_authorization_required_code() ) ),
			)
		);
	}
);

/**
 * How this plugin stands, for the relay and for people.
 *
 * @return array<string, mixed>
 */
function answer_status(): array {
	$state  = registered();
	$spool  = spool_status();
	$engine = revisions_engine();
	return array(
		'store_id'      => store_id(),
		'home'          => home(),
		'versions'      => versions(),
		'extension'     => extension_loaded_here(),
		'order_storage' => order_storage(),
		'rev_table'     => array(
			'ok'     => 'InnoDB' === $engine,
			'engine' => $engine,
		),
		'connected'     => is_connected(),
		'capturing'     => captures(),
		'connection_id' => $state['connection_id'] ?? null,
		'mode'          => $state['mode'] ?? null,
		'spool'         => null === $spool ? null : array_intersect_key( $spool, array_flip( array( 'unsent', 'oldest_unsent_at', 'open_intents', 'bytes', 'max_bytes', 'writable', 'sender', 'last_sent_at' ) ) ),
	);
}
