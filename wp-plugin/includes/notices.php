<?php
/**
 * Notices in the admin: what keeps Nexpura from working, and what to do about it.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_notices',
	static function (): void {
		if ( ! current_user_can( 'manage_woocommerce' ) && ! current_user_can( 'activate_plugins' ) ) {
			return;
		}
		if ( is_settings_page() && false !== get_transient( 'nexpura_outcome_' . get_current_user_id() ) ) {
			// The page itself says what just came of a button.
			return;
		}
		foreach ( guarded( __NAMESPACE__ . '\current_notices', array(), 'gathering notices' ) as $notice ) {
			printf(
				'<div class="notice notice-%1$s"><p><strong>Nexpura:</strong> %2$s%3$s</p></div>',
				esc_attr( $notice['kind'] ),
				esc_html( $notice['message'] ),
				$notice['link'] && ! is_settings_page() ? sprintf( ' <a href="%s">%s</a>', esc_url( settings_url() ), esc_html__( 'Nexpura settings', 'nexpura' ) ) : ''
			);
		}
	}
);

/**
 * Whether this is our own page, which says the same in more detail.
 */
function is_settings_page(): bool {
	return 'woocommerce_page_nexpura' === ( get_current_screen()->id ?? '' );
}

/**
 * Whether people look here for the state of the shop; elsewhere only what stops the capture is said.
 */
function is_shop_screen(): bool {
	$screen = get_current_screen();
	return null !== $screen && ( in_array( $screen->id, array( 'dashboard', 'plugins', 'site-health' ), true ) || str_contains( $screen->id, 'woocommerce' ) || str_contains( $screen->id, 'shop_order' ) );
}

/**
 * What is to be said now.
 *
 * @return array<int, array{kind: string, message: string, link: bool}>
 */
function current_notices(): array {
	$say         = static fn( string $kind, string $message, bool $link = true ): array => array(
		array(
			'kind'    => $kind,
			'message' => $message,
			'link'    => $link,
		),
	);
	$woocommerce = woocommerce_problem();
	if ( null !== $woocommerce ) {
		return $say( 'error', $woocommerce, false );
	}
	if ( is_moved() ) {
		return is_settings_page() ? array() : $say( 'error', moved_message() );
	}
	$configured = configured_connection();
	if ( null === $configured ) {
		// The settings page says how, step by step.
		return is_shop_screen() && ! is_settings_page() ? $say( 'info', __( 'This shop is not connected yet: paste the connection string that Nexpura showed you.', 'nexpura' ) ) : array();
	}
	$parsed = parse_connection( $configured['text'] );
	if ( is_string( $parsed ) ) {
		/* translators: %s: where the connection string was found. */
		return $say( 'error', $parsed . ' ' . sprintf( __( 'It was taken from %s.', 'nexpura' ), source_label( $configured['source'] ) ) );
	}
	$problem = problem();
	if ( ! is_connected() ) {
		if ( get_option( DISCONNECTED_OPTION ) === $parsed->id ) {
			return array();
		}
		return null !== $problem && $problem['connection_id'] === $parsed->id
			? $say( 'error', $problem['message'] )
			: $say( 'info', __( 'This shop is being connected in the background. Look again in a minute.', 'nexpura' ) );
	}
	if ( ! is_shop_screen() ) {
		return array();
	}
	return state_notices( null !== $problem && $problem['connection_id'] === $parsed->id ? $problem['message'] : null );
}

/**
 * What is to be said of a shop that is connected.
 *
 * @param string|null $problem Why telling the relay of a change failed.
 * @return array<int, array{kind: string, message: string, link: bool}>
 */
function state_notices( ?string $problem ): array {
	$notices = array();
	$add     = static function ( string $kind, string $message ) use ( &$notices ): void {
		$notices[] = array(
			'kind'    => $kind,
			'message' => $message,
			'link'    => true,
		);
	};
	if ( null !== $problem ) {
		$add( 'warning', $problem );
	}
	if ( ! is_settings_page() && ! has_rest_key( (int) registered()['key_id'] ) ) {
		$add( 'error', keyless_message() );
	}
	if ( abs( (int) registered()['clock_offset'] ) > MINUTE_IN_SECONDS ) {
		/* translators: %s: a duration such as "7 mins". */
		$add( 'warning', sprintf( __( 'This server\'s clock is off by %s. Nexpura corrects for it; set the clock all the same (switch on NTP, or ask your host).', 'nexpura' ), human_time_diff( 0, abs( (int) registered()['clock_offset'] ) ) ) );
	}
	if ( ! extension_loaded_here() ) {
		$add( 'warning', extension_missing_message() );
		return $notices;
	}
	$refused = open_spool();
	$spool   = spool_problem( (array) spool_status() );
	if ( 'waiting' === ( $spool['kind'] ?? '' ) && is_settings_page() ) {
		// The page's first card says so.
		return $notices;
	}
	if ( null !== $spool ) {
		$add( 'critical' === $spool['status'] ? 'error' : 'warning', $spool['label'] . '. ' . $spool['message'] );
	} elseif ( null !== $refused ) {
		$add( 'error', $refused );
	}
	return $notices;
}
