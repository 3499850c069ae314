<?php
/**
 * WooCommerce → Nexpura: one field to connect, and how things stand. The secret is never shown again.
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

/**
 * The page.
 */
function show_settings_page(): void {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return;
	}
	$configured = configured_connection();
	$connection = connection();
	echo '<div class="wrap"><h1>Nexpura</h1>';
	show_outcome();
	if ( null !== woocommerce_problem() ) {
		echo '</div>';
		return;
	}
	if ( is_moved() ) {
		show_moved();
	} elseif ( is_connected() ) {
		show_connected( (string) ( $configured['source'] ?? '' ) );
	} elseif ( null !== $connection ) {
		echo '<p>' . esc_html__( 'A connection string is there, but this shop is not registered with its relay yet.', 'nexpura' ) . '</p>';
		show_button( 'connect', __( 'Connect now', 'nexpura' ), true );
	}
	if ( null === $configured || 'settings' === $configured['source'] ) {
		show_connection_form( null !== $configured );
	} else {
		/* translators: %s: where the connection string was found. */
		echo '<p>' . esc_html( sprintf( __( 'The connection string is taken from %s; to change it, change it there.', 'nexpura' ), source_label( $configured['source'] ) ) ) . '</p>';
	}
	echo '</div>';
}

/**
 * The field for the connection string.
 *
 * @param bool $replaces Whether one is kept already.
 */
function show_connection_form( bool $replaces ): void {
	printf( '<form method="post" action="%s" autocomplete="off">', esc_url( admin_url( 'admin-post.php' ) ) );
	wp_nonce_field( 'nexpura_connect' );
	?>
	<input type="hidden" name="action" value="nexpura_connect">
	<table class="form-table" role="presentation"><tr>
		<th scope="row"><label for="nexpura-connection"><?php esc_html_e( 'Connection string', 'nexpura' ); ?></label></th>
		<td>
			<input type="password" id="nexpura-connection" name="connection" class="large-text code" value="" autocomplete="new-password" spellcheck="false" required
				placeholder="https://…:whsec_…@relay.example">
			<p class="description"><?php echo esc_html( $replaces ? __( 'A connection string is kept; it is not shown again. Paste another to replace it.', 'nexpura' ) : __( 'Paste the line that Nexpura showed when you made the connection, whole.', 'nexpura' ) ); ?></p>
		</td>
	</tr></table>
	<?php
	submit_button( $replaces ? __( 'Replace and connect', 'nexpura' ) : __( 'Connect', 'nexpura' ) );
	echo '</form>';
}

/**
 * How a connected shop stands.
 *
 * @param string $source Where the connection string is from.
 */
function show_connected( string $source ): void {
	$state = registered();
	$spool = spool_status();
	$rows  = array(
		__( 'Relay', 'nexpura' )                  => (string) $state['relay'],
		__( 'Connected as', 'nexpura' )           => (string) $state['home'],
		__( 'Since', 'nexpura' )                  => wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), (int) $state['at'] ),
		__( 'Connection string from', 'nexpura' ) => source_label( $source ),
		__( 'Capture', 'nexpura' )                => null === extension_version()
			? __( 'by WooCommerce\'s webhooks (the PHP extension is not loaded)', 'nexpura' )
			/* translators: %s: version. */
			: sprintf( __( 'by the PHP extension %s', 'nexpura' ), extension_version() ),
	);
	if ( null !== $spool ) {
		$rows[ __( 'Waiting to be sent', 'nexpura' ) ] = number_format_i18n( (int) ( $spool['unsent'] ?? 0 ) );
	}
	echo '<table class="widefat striped" style="max-width:50em"><tbody>';
	foreach ( $rows as $label => $value ) {
		printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $label ), esc_html( (string) $value ) );
	}
	echo '</tbody></table>';
	show_button( 'connect', __( 'Connect again (makes a new key)', 'nexpura' ), false );
	show_button( 'disconnect', __( 'Disconnect', 'nexpura' ), false );
}

/**
 * The choice that only a person can make: moved, or copied.
 */
function show_moved(): void {
	echo '<p>' . esc_html( moved_message() ) . '</p>';
	show_button( 'connect', __( 'The shop has moved here: connect it under this address', 'nexpura' ), true );
	show_button( 'separate', __( 'This is a copy: make it a store of its own', 'nexpura' ), false );
}

/**
 * A form that is one button.
 *
 * @param string $action  connect, disconnect or separate.
 * @param string $label   Its label.
 * @param bool   $primary Whether it is the one to press.
 */
function show_button( string $action, string $label, bool $primary ): void {
	printf( '<form method="post" action="%s" style="display:inline-block;margin:1em 1em 0 0">', esc_url( admin_url( 'admin-post.php' ) ) );
	wp_nonce_field( 'nexpura_' . $action );
	printf( '<input type="hidden" name="action" value="%s">', esc_attr( 'nexpura_' . $action ) );
	printf( '<button class="button%s">%s</button></form>', $primary ? ' button-primary' : '', esc_html( $label ) );
}

/**
 * What came of the last button, kept for this user for a minute.
 */
function show_outcome(): void {
	$outcome = get_transient( 'nexpura_outcome_' . get_current_user_id() );
	if ( ! is_array( $outcome ) ) {
		return;
	}
	delete_transient( 'nexpura_outcome_' . get_current_user_id() );
	printf( '<div class="notice notice-%s inline"><p>%s</p></div>', $outcome['good'] ? 'success' : 'error', esc_html( $outcome['message'] ) );
}

/**
 * Keeps what came of a button, and goes back to the page.
 *
 * @param bool   $good    Whether it worked.
 * @param string $message What to say.
 */
function return_with( bool $good, string $message ): never {
	set_transient(
		'nexpura_outcome_' . get_current_user_id(),
		array(
			'good'    => $good,
			'message' => $message,
		),
		MINUTE_IN_SECONDS
	);
	wp_safe_redirect( settings_url() );
	exit;
}

/**
 * Refuses whoever may not, or did not come from our form.
 *
 * @param string $action The form's action.
 */
function require_permission( string $action ): void {
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		wp_die( esc_html__( 'You are not allowed to connect this shop.', 'nexpura' ), '', array( 'response' => 403 ) );
	}
	check_admin_referer( 'nexpura_' . $action );
}

add_action(
	'admin_post_nexpura_connect',
	static function (): void {
		require_permission( 'connect' );
		$woocommerce = woocommerce_problem();
		if ( null !== $woocommerce ) {
			return_with( false, $woocommerce );
		}
		// A secret: not sanitised, because it is parsed strictly and never printed. phpcs:ignore WordPress.Security
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
