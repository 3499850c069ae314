<?php
/**
 * What every button of ours has in common: who may press it, and where what came of it is shown.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * Refuses whoever may not, or did not come from our form.
 *
 * @param string $action The form's action.
 */
function require_permission( string $action ): void {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		wp_die( esc_html__( 'You are not allowed to manage Nexpura for this shop.', 'nexpura' ), '', array( 'response' => 403 ) );
	}
	check_admin_referer( 'nexpura_' . $action );
}

/**
 * Keeps what came of a button for this user, and goes back to where it was pressed.
 *
 * @param bool   $good    Whether it worked.
 * @param string $message What to say.
 * @param string $back    Where to go; the settings page if it is empty or not of this shop.
 */
function return_with( bool $good, string $message, string $back = '' ): never {
	set_transient(
		'nexpura_outcome_' . get_current_user_id(),
		array(
			'good'    => $good,
			'message' => $message,
		),
		MINUTE_IN_SECONDS
	);
	wp_safe_redirect( '' === $back ? settings_url() : $back );
	exit;
}

/**
 * Shows what came of the last button, once.
 *
 * @param string $place A further class of WordPress's notices, such as ` inline`.
 */
function show_outcome( string $place = '' ): void {
	$outcome = get_transient( 'nexpura_outcome_' . get_current_user_id() );
	if ( ! is_array( $outcome ) ) {
		return;
	}
	delete_transient( 'nexpura_outcome_' . get_current_user_id() );
	printf( '<div class="notice notice-%s%s"><p>%s</p></div>', $outcome['good'] ? 'success' : 'error', esc_attr( $place ), esc_html( $outcome['message'] ) );
}

// Buttons on other pages than our own come back to those.
add_action(
	'admin_notices',
	static function (): void {
		if ( ! is_settings_page() && current_user_can( 'manage_woocommerce' ) ) {
			show_outcome();
		}
	}
);
