<?php
/**
 * WooCommerce → Nexpura: where the page stands, what it shows in which state, and what its buttons do.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_menu',
	static function (): void {
		add_submenu_page( 'woocommerce', 'Nexpura', 'Nexpura', 'manage_woocommerce', 'nexpura', __NAMESPACE__ . '\show_settings_page' );
	},
	60
);

add_filter(
	'plugin_action_links_' . plugin_basename( PLUGIN_FILE ),
	static function ( $links ): array {
		$links = (array) $links;
		array_unshift( $links, sprintf( '<a href="%s">%s</a>', esc_url( settings_url() ), esc_html__( 'Settings', 'nexpura' ) ) );
		return $links;
	}
);

// Its looks, and those of what stands beside orders and products.
add_action(
	'admin_enqueue_scripts',
	static function (): void {
		$screen = get_current_screen();
		if ( null !== $screen && ( is_shop_screen() || 'product' === $screen->post_type ) ) {
			wp_enqueue_style( 'nexpura-admin', plugins_url( 'assets/admin.css', PLUGIN_FILE ), array(), VERSION );
		}
	}
);

/**
 * The page.
 */
function show_settings_page(): void {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return;
	}
	echo '<div class="wrap nexpura-page"><h1>Nexpura</h1>';
	show_outcome( ' inline' );
	if ( null === woocommerce_problem() ) {
		show_cards();
	}
	echo '</div>';
}

/**
 * What the page shows, by how far this shop is.
 */
function show_cards(): void {
	$configured = configured_connection();
	if ( is_moved() ) {
		show_moved();
	} elseif ( is_connected() ) {
		show_connected( (string) ( $configured['source'] ?? '' ) );
	} elseif ( null !== connection() ) {
		show_half_connected();
	}
	if ( null !== $configured && 'settings' !== $configured['source'] ) {
		show_source( $configured['source'] );
	} elseif ( null === $configured ) {
		show_first_steps();
	} else {
		show_replacement();
	}
	if ( is_connected() ) {
		show_farewell();
	}
}

add_action(
	'admin_post_nexpura_connect',
	static function (): void {
		require_permission( 'connect' );
		$woocommerce = woocommerce_problem();
		if ( null !== $woocommerce ) {
			return_with( false, $woocommerce );
		}
		// A secret: not sanitised, because it is parsed strictly and never printed. Its nonce is verified above.
		// phpcs:ignore WordPress.Security
		$pasted = isset( $_POST['connection'] ) && is_string( $_POST['connection'] ) ? wp_unslash( $_POST['connection'] ) : null;
		$answer = null === $pasted ? connect_configured() : connect_pasted( $pasted );
		return_with( '' === $answer->problem, '' === $answer->problem ? __( 'This shop is connected to Nexpura.', 'nexpura' ) : $answer->message );
	}
);

add_action(
	'admin_post_nexpura_disconnect',
	static function (): void {
		require_permission( 'disconnect' );
		$answer = disconnect();
		return_with(
			true,
			null !== $answer && '' !== $answer->problem
				? __( 'This shop is disconnected and its key removed. The relay could not be told; end the connection in Nexpura too.', 'nexpura' )
				: __( 'This shop is disconnected from Nexpura, and its key removed.', 'nexpura' )
		);
	}
);

add_action(
	'admin_post_nexpura_separate',
	static function (): void {
		require_permission( 'separate' );
		become_own_store();
		return_with( true, __( 'This copy is a store of its own now, with nothing of the original\'s connection. Connect it with a connection string of its own, or leave it unconnected.', 'nexpura' ) );
	}
);
