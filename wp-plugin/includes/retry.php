<?php
/**
 * The button by which a person has one order or product read again.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/** Seconds for which the button sends what waits here, before the relay is asked. */
const RETRY_DRAIN_SECONDS = 3;

/**
 * Prints the button, as a link: it stands within WooCommerce's own forms.
 *
 * @param string $resource order or product.
 * @param int    $id       WooCommerce's id.
 * @param string $label    Its label.
 */
function show_retry( string $resource, int $id, string $label ): void {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return;
	}
	$query = array(
		'action'   => 'nexpura_retry',
		'resource' => $resource,
		'id'       => $id,
	);
	printf(
		'<a class="button button-small" href="%s">%s</a>',
		esc_url( wp_nonce_url( add_query_arg( $query, admin_url( 'admin-post.php' ) ), 'nexpura_retry' ) ),
		esc_html( $label )
	);
}

add_action(
	'admin_post_nexpura_retry',
	static function (): void {
		require_permission( 'retry' );
		// phpcs:disable WordPress.Security.NonceVerification -- require_permission() verifies it.
		$resource = isset( $_GET['resource'] ) ? sanitize_key( wp_unslash( $_GET['resource'] ) ) : '';
		$id       = isset( $_GET['id'] ) ? absint( $_GET['id'] ) : 0;
		// phpcs:enable
		$problem = retry( $resource, $id );
		return_with( null === $problem, $problem ?? __( 'Nexpura reads it again now. Look again in a moment.', 'nexpura' ), (string) wp_get_referer() );
	}
);

/**
 * Sends what waits here, and has the relay read one thing again.
 *
 * @param string $resource order or product.
 * @param int    $id       WooCommerce's id.
 * @return string|null Null when it is asked for, else what went wrong.
 */
function retry( string $resource, int $id ): ?string {
	$connection = is_connected() ? connection() : null;
	if ( null === $connection ) {
		return __( 'This shop is not connected to Nexpura.', 'nexpura' );
	}
	if ( ! in_array( $resource, array( 'order', 'product' ), true ) || 0 === $id ) {
		return __( 'There is no such order or product.', 'nexpura' );
	}
	if ( captures() && waiting_here() > 0 ) {
		\nexpura_drain( RETRY_DRAIN_SECONDS );
	}
	$thing  = array(
		'resource' => $resource,
		'id'       => $id,
	);
	$answer = post_to_relay( $connection, 'v1/retry', $thing, STANDING_SECONDS );
	forget_standing();
	if ( '' !== $answer->problem ) {
		log_warning( sprintf( 'asking the relay to read %s %d again failed: %s', $resource, $id, $answer->problem ) );
		return $answer->message;
	}
	return null;
}
