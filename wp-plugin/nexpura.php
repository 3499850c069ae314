<?php
/**
 * Plugin Name:          Nexpura
 * Plugin URI:           https://nexpura.com
 * Description:          Keeps this shop's sales, customers and stock in agreement with Nexpura, the jeweller's system of record.
 * Version:              0.1.0
 * Author:               Nexpura
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          nexpura
 * Domain Path:          /languages
 * Requires at least:    6.5
 * Requires PHP:         8.1
 * Requires Plugins:     woocommerce
 * WC requires at least: 8.2
 * WC tested up to:      10.0
 *
 * This file stays readable for very old PHP versions, so that a server which was downgraded gets a notice and
 * not a white page. Everything else is under includes/, one file a subject, each hook beside its callback.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const VERSION             = '0.1.0';
const MINIMUM_PHP         = '8.1';
const MINIMUM_WOOCOMMERCE = '8.2';

define( __NAMESPACE__ . '\PLUGIN_FILE', __FILE__ );

if ( version_compare( PHP_VERSION, MINIMUM_PHP, '<' ) ) {
	add_action(
		'admin_notices',
		function () {
			if ( ! current_user_can( 'activate_plugins' ) ) {
				return;
			}
			echo '<div class="notice notice-error"><p>';
			echo esc_html(
				sprintf(
					/* translators: 1: PHP version needed, 2: PHP version found. */
					__( 'Nexpura needs PHP %1$s or newer; this server runs PHP %2$s. Nothing is captured until PHP is updated: ask your host to switch this site to a newer version.', 'nexpura' ),
					MINIMUM_PHP,
					PHP_VERSION
				)
			);
			echo '</p></div>';
		}
	);
	return;
}

foreach ( array(
	'textdomain',
	'guard',
	'connection',
	'signature',
	'requirements',
	'state',
	'extension',
	'revisions',
	'resources',
	'facts',
	'representation',
	'marks',
	'orders',
	'products',
	'customers',
	'snapshot',
	'lineage',
	'rest-key',
	'webhooks',
	'relay',
	'registration',
	'rest',
	'stock',
	'synced',
	'farewell',
	'install',
	'standing',
	'standing-words',
	'probe',
	'site-health',
	'site-info',
) as $nexpura_part ) {
	require __DIR__ . '/includes/' . $nexpura_part . '.php';
}
if ( is_admin() ) {
	require __DIR__ . '/includes/notices.php';
	require __DIR__ . '/includes/outcome.php';
	require __DIR__ . '/includes/settings-page.php';
	require __DIR__ . '/includes/settings-cards.php';
	require __DIR__ . '/includes/retry.php';
	require __DIR__ . '/includes/order-screens.php';
	require __DIR__ . '/includes/product-screens.php';
	require __DIR__ . '/includes/synced-lists.php';
	require __DIR__ . '/includes/system-status.php';
	require __DIR__ . '/includes/privacy.php';
}
if ( defined( 'WP_CLI' ) && \WP_CLI ) {
	require __DIR__ . '/includes/cli.php';
}
unset( $nexpura_part );
