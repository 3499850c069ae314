<?php
/**
 * A status of the shop's own, as plugins for delivery add one.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

const CUSTOM_STATUS_OPTION = 'nexpura_tests_custom_status';

/**
 * Adds "shipped" to the statuses of orders, from now on in every request.
 */
function add_custom_status(): void {
	update_option( CUSTOM_STATUS_OPTION, 'yes' );
	register_custom_status();
}

/**
 * Tells WordPress and WooCommerce of it, in this request.
 */
function register_custom_status(): void {
	register_post_status(
		'wc-shipped',
		array(
			'label'                     => 'Shipped',
			'public'                    => true,
			'exclude_from_search'       => false,
			'show_in_admin_all_list'    => true,
			'show_in_admin_status_list' => true,
		)
	);
	add_filter( 'wc_order_statuses', static fn( array $statuses ): array => array( ...$statuses, 'wc-shipped' => 'Shipped' ) );
}
