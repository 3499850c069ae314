<?php
/**
 * Makes a fresh WordPress the shop that the tests expect.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

use Automattic\WooCommerce\Internal\DataStores\Orders\DataSynchronizer;

/**
 * Runs WooCommerce's installation, once, before the snapshot is taken.
 *
 * @param array{hpos:bool} $args Which order storage.
 */
function install_woocommerce( array $args ): bool {
	\WC_Install::install();
	\WC_Install::create_pages();

	$order_storage = $args['hpos'] ? 'yes' : 'no';
	if ( $args['hpos'] ) {
		wc_get_container()->get( DataSynchronizer::class )->create_database_tables();
	}
	$options = array(
		'woocommerce_custom_orders_table_enabled'       => $order_storage,
		'woocommerce_feature_custom_order_tables_enabled' => $order_storage,
		'woocommerce_custom_orders_table_data_sync_enabled' => 'no',
		'woocommerce_coming_soon'                       => 'no',
		'woocommerce_store_pages_only'                  => 'no',
		'woocommerce_allow_tracking'                    => 'no',
		'woocommerce_show_marketplace_suggestions'      => 'no',
		'woocommerce_task_list_hidden'                  => 'yes',
		'woocommerce_task_list_welcome_modal_dismissed' => 'yes',
		'woocommerce_onboarding_profile'                => array( 'skipped' => true ),
		'woocommerce_enable_guest_checkout'             => 'yes',
		'woocommerce_enable_signup_and_login_from_checkout' => 'yes',
		'woocommerce_manage_stock'                      => 'yes',
		'woocommerce_hold_stock_minutes'                => '60',
		'woocommerce_default_country'                   => 'GB',
		'woocommerce_store_address'                     => '1 Hatton Garden',
		'woocommerce_store_city'                        => 'London',
		'woocommerce_store_postcode'                    => 'EC1N 8AA',
		'woocommerce_tax_based_on'                      => 'base',
		'woocommerce_cod_settings'                      => array( 'enabled' => 'yes', 'title' => 'Cash on delivery' ),
		'woocommerce_bacs_settings'                     => array( 'enabled' => 'yes', 'title' => 'Bank transfer' ),
		'woocommerce_cheque_settings'                   => array( 'enabled' => 'yes', 'title' => 'Cheque' ),
		'permalink_structure'                           => '/%postname%/',
		'woocommerce_queue_flush_rewrite_rules'         => 'no',
	);
	foreach ( $options as $name => $value ) {
		update_option( $name, $value );
	}
	update_user_meta( 1, 'show_welcome_panel', 0 );
	// The first admin page after an installation would lead away to WooCommerce's wizard.
	delete_transient( '_wc_activation_redirect' );


	// One flat rate wherever no zone fits, which is everywhere. The store double has that built in.
	if ( class_exists( \WC_Shipping_Zone::class ) ) {
		$zone   = new \WC_Shipping_Zone( 0 );
		$method = $zone->add_shipping_method( 'flat_rate' );
		update_option( "woocommerce_flat_rate_{$method}_settings", array( 'title' => 'Post', 'tax_status' => 'taxable', 'cost' => '10' ) );
	}

	// The checkout of before the blocks.
	$classic = wp_insert_post(
		array(
			'post_title'   => 'Classic checkout',
			'post_name'    => 'classic-checkout',
			'post_type'    => 'page',
			'post_status'  => 'publish',
			'post_content' => '[woocommerce_checkout]',
		)
	);
	return $classic > 0;
}

/**
 * What one shop wants otherwise than the snapshot.
 *
 * @param array{currency:string,decimals:int,taxes:bool,prices_include_tax:bool,tax_rate:string,plugins:list<string>} $args Its wishes.
 */
function set_up( array $args ): bool {
	update_option( 'woocommerce_currency', $args['currency'] );
	update_option( 'woocommerce_price_num_decimals', (string) $args['decimals'] );
	update_option( 'woocommerce_calc_taxes', $args['taxes'] ? 'yes' : 'no' );
	update_option( 'woocommerce_prices_include_tax', $args['prices_include_tax'] ? 'yes' : 'no' );
	if ( $args['taxes'] ) {
		\WC_Tax::_insert_tax_rate(
			array(
				'tax_rate_country'  => '',
				'tax_rate_state'    => '',
				'tax_rate'          => $args['tax_rate'],
				'tax_rate_name'     => 'VAT',
				'tax_rate_priority' => 1,
				'tax_rate_compound' => 0,
				'tax_rate_shipping' => 1,
				'tax_rate_order'    => 0,
				'tax_rate_class'    => '',
			)
		);
	}
	if ( $args['plugins'] ) {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$problem = activate_plugins( $args['plugins'] );
		if ( is_wp_error( $problem ) ) {
			throw new \RuntimeException( $problem->get_error_message() . ' ' . wp_json_encode( $problem->get_error_data() ) );
		}
	}
	return true;
}
