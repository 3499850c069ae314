<?php
/**
 * Plugin Name: Store double
 * Description: Stands in for WooCommerce on machines where it cannot be had: just what the demo's checkouts and Nexpura's plugin touch. Never shipped.
 * Version: 10.0.2
 *
 * What it imitates is compared with the real plugin by the story `tests/stories/the_double.rs`; where they differ, this
 * is wrong. It knows simple and variable products, orders in WordPress's own tables, no taxes, one shipping rate.
 */

declare(strict_types=1);

defined( 'ABSPATH' ) || exit;

/** The version whose behaviour it imitates. */
const WC_VERSION = '10.0.2';
define( 'WC_ABSPATH', __DIR__ . '/' );

foreach ( array( 'data', 'utilities', 'products', 'orders', 'stock', 'payment', 'rest-keys', 'rest', 'store-api' ) as $store_double_part ) {
	require __DIR__ . "/includes/$store_double_part.php";
}
unset( $store_double_part );

/** Makes what WooCommerce's installation makes: tables, roles, pages. */
final class WC_Install {

	/** Tables and roles. */
	public static function install(): void {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$collate = $wpdb->get_charset_collate();
		dbDelta(
			"CREATE TABLE {$wpdb->prefix}woocommerce_api_keys (
				key_id bigint(20) unsigned NOT NULL auto_increment,
				user_id bigint(20) unsigned NOT NULL,
				description varchar(200) NULL,
				permissions varchar(10) NOT NULL,
				consumer_key char(64) NOT NULL,
				consumer_secret char(43) NOT NULL,
				nonces longtext NULL,
				truncated_key char(7) NOT NULL,
				last_access datetime NULL default null,
				PRIMARY KEY  (key_id)
			) $collate;"
		);
		// Lines live with their order; the table is there because others look into it.
		dbDelta(
			"CREATE TABLE {$wpdb->prefix}woocommerce_order_items (
				order_item_id bigint(20) unsigned NOT NULL auto_increment,
				order_item_name text NOT NULL,
				order_item_type varchar(200) NOT NULL default '',
				order_id bigint(20) unsigned NOT NULL,
				PRIMARY KEY  (order_item_id)
			) $collate;"
		);
		add_role( 'customer', 'Customer', array( 'read' => true ) );
		add_role( 'shop_manager', 'Shop manager', array( 'read' => true, 'manage_woocommerce' => true ) );
		get_role( 'administrator' )->add_cap( 'manage_woocommerce' );
		flush_rewrite_rules( false );
	}

	/** WooCommerce's pages; the double's checkout is the Store API alone. */
	public static function create_pages(): void {
	}
}

/** The plugin's own object, of which others ask only that it is there. */
function WC(): object {
	static $instance;
	return $instance ??= new stdClass();
}

add_action(
	'plugins_loaded',
	static function (): void {
		do_action( 'woocommerce_loaded' );
	},
	-1
);
add_action(
	'init',
	static function (): void {
		do_action( 'before_woocommerce_init' );
		register_post_type(
			'product',
			array(
				'label'       => 'Products',
				'public'      => true,
				'has_archive' => 'shop',
				'supports'    => array( 'title', 'thumbnail', 'excerpt' ),
				'menu_icon'   => 'dashicons-products',
			)
		);
		register_post_type( 'product_variation', array( 'public' => false ) );
		register_post_type( 'shop_order', array( 'public' => false ) );
		foreach ( order_statuses() as $status ) {
			register_post_status( 'wc-' . $status, array( 'label' => $status ) );
		}
		do_action( 'woocommerce_init' );
	},
	0
);
add_action(
	'admin_menu',
	static function (): void {
		add_menu_page( 'WooCommerce', 'WooCommerce', 'manage_woocommerce', 'woocommerce', static fn() => print( '<div class="wrap"><h1>The store double</h1></div>' ) );
	},
	9
);
