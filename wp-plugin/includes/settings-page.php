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
	show_outcome( ' inline' );
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
 * How a connected shop stands: one line, what can be pressed, and everything else for support.
 *
 * @param string $source Where the connection string is from.
 */
function show_connected( string $source ): void {
	$state    = registered();
	$standing = standing();
	$spool    = spool_status();
	$unsent   = (int) ( $spool['unsent'] ?? 0 );
	$health   = health_in_words( $standing, $spool );
	printf( '<div class="notice notice-%s inline"><p><strong>%s</strong> %s</p></div>', esc_attr( $health['kind'] ), esc_html__( 'Connected.', 'nexpura' ), esc_html( $health['told'] ) );
	printf( '<p><a class="button" href="%s">%s</a></p>', esc_url( (string) $state['relay'] ), esc_html__( 'Open Nexpura', 'nexpura' ) );
	if ( $unsent > 0 ) {
		show_button( 'drain', __( 'Send now', 'nexpura' ), true );
	}
	printf( '<details class="nexpura-support" style="margin:1.5em 0"%s><summary style="cursor:pointer">%s</summary>', 'success' === $health['kind'] ? '' : ' open', esc_html__( 'For support', 'nexpura' ) );
	show_rows(
		__( 'Connection', 'nexpura' ),
		array(
			__( 'Nexpura says', 'nexpura' )           => store_in_words( $standing ),
			__( 'Relay', 'nexpura' )                  => (string) $state['relay'],
			__( 'Connected as', 'nexpura' )           => (string) $state['home'],
			__( 'Since', 'nexpura' )                  => wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), (int) $state['at'] ),
			__( 'Connection string from', 'nexpura' ) => source_label( $source ),
			__( 'Capture', 'nexpura' )                => null === extension_version()
				? __( 'by WooCommerce\'s webhooks (the PHP extension is not loaded)', 'nexpura' )
				/* translators: %s: version. */
				: sprintf( __( 'by the PHP extension %s', 'nexpura' ), extension_version() ),
		)
	);
	if ( null !== $spool ) {
		show_rows( __( 'Spool', 'nexpura' ), spool_rows( $spool ) );
		if ( 0 === $unsent ) {
			show_button( 'drain', __( 'Send now', 'nexpura' ), false );
		}
	}
	show_button( 'probe', __( 'Send test event', 'nexpura' ), false );
	show_button( 'connect', __( 'Connect again (makes a new key)', 'nexpura' ), false );
	echo '</details>';
	show_farewell();
}

/**
 * Asks before the shop is disconnected.
 */
function show_farewell(): void {
	printf( '<details><summary style="cursor:pointer">%s</summary><h2>%s</h2><ul class="ul-disc">', esc_html__( 'Disconnect…', 'nexpura' ), esc_html__( 'Disconnect this shop from Nexpura?', 'nexpura' ) );
	echo '<li>' . esc_html__( 'Sales made from now on no longer reach Nexpura, and Nexpura no longer changes stock here.', 'nexpura' ) . '</li>';
	echo '<li>' . esc_html__( 'The API key that Nexpura uses is removed from WooCommerce.', 'nexpura' ) . '</li>';
	echo '<li>' . esc_html__( 'Orders, products and customers in this shop stay as they are, and Nexpura keeps its history.', 'nexpura' ) . '</li></ul>';
	show_button( 'disconnect', __( 'Disconnect', 'nexpura' ), false );
	echo '</details>';
}

/**
 * How a connected shop stands, in a sentence or two.
 *
 * @param Standing                  $standing What the relay said.
 * @param array<string, mixed>|null $spool    The extension's status, where it is loaded.
 * @return array{kind: string, told: string} A kind of WordPress's notices, and the sentences.
 */
function health_in_words( Standing $standing, ?array $spool ): array {
	$unsent = (int) ( $spool['unsent'] ?? 0 );
	if ( '' !== $standing->problem || 'connected' !== (string) ( $standing->store['status'] ?? '' ) ) {
		$told = ucfirst( rtrim( store_in_words( $standing ), '.' ) ) . '.';
		if ( $unsent > 0 ) {
			/* translators: %s: a number. */
			$told .= ' ' . sprintf( _n( '%s event waits here and is sent later by itself.', '%s events wait here and are sent later by themselves.', $unsent, 'nexpura' ), number_format_i18n( $unsent ) );
		}
		return array(
			'kind' => 'warning',
			'told' => $told,
		);
	}
	if ( $unsent > 0 ) {
		return array(
			'kind' => 'warning',
			/* translators: %s: a number. */
			'told' => sprintf( _n( '%s event is waiting to be sent.', '%s events are waiting to be sent.', $unsent, 'nexpura' ), number_format_i18n( $unsent ) ),
		);
	}
	if ( null === $spool ) {
		return array(
			'kind' => 'success',
			'told' => __( 'Nexpura hears of sales by WooCommerce\'s webhooks.', 'nexpura' ),
		);
	}
	$sent = $spool['last_sent_at'] ?? null;
	return array(
		'kind' => 'success',
		'told' => is_numeric( $sent )
			/* translators: %s: a duration such as "7 mins". */
			? sprintf( __( 'Everything is sent. The last event was sent %s ago.', 'nexpura' ), human_time_diff( (int) $sent ) )
			: __( 'Everything is sent.', 'nexpura' ),
	);
}

/**
 * Prints a table of names and values.
 *
 * @param string                $caption What it is about.
 * @param array<string, string> $rows    Values by name.
 */
function show_rows( string $caption, array $rows ): void {
	echo '<h2>' . esc_html( $caption ) . '</h2><table class="widefat striped" style="max-width:50em;table-layout:fixed"><tbody>';
	foreach ( $rows as $label => $value ) {
		// A path has no place to break at, and would push the page wider than a phone.
		printf( '<tr><th scope="row" style="width:30%%;overflow-wrap:anywhere">%s</th><td style="overflow-wrap:anywhere">%s</td></tr>', esc_html( $label ), esc_html( (string) $value ) );
	}
	echo '</tbody></table>';
}

/**
 * How the relay sees this shop.
 *
 * @param Standing $standing What it said.
 */
function store_in_words( Standing $standing ): string {
	if ( '' !== $standing->problem ) {
		return $standing->problem;
	}
	$status = match ( (string) ( $standing->store['status'] ?? '' ) ) {
		'connected'    => __( 'connected', 'nexpura' ),
		'disconnected' => __( 'disconnected', 'nexpura' ),
		default        => __( 'something is wrong', 'nexpura' ),
	};
	return trim( $status . ' ' . (string) ( $standing->store['detail'] ?? '' ) );
}

/**
 * How the spool stands, in words.
 *
 * @param array<string, mixed> $spool The extension's status.
 * @return array<string, string>
 */
function spool_rows( array $spool ): array {
	$never  = __( 'never', 'nexpura' );
	$moment = static fn( mixed $at ): string => is_numeric( $at ) ? (string) wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), (int) $at ) : $never;
	$rows   = array(
		__( 'Waiting to be sent', 'nexpura' ) => number_format_i18n( (int) ( $spool['unsent'] ?? 0 ) ),
		__( 'Being captured', 'nexpura' )     => number_format_i18n( (int) ( $spool['open_intents'] ?? 0 ) ),
	);
	if ( isset( $spool['oldest_unsent_at'] ) ) {
		/* translators: %s: a duration such as "7 mins". */
		$rows[ __( 'Oldest of them', 'nexpura' ) ] = sprintf( __( '%s ago', 'nexpura' ), human_time_diff( (int) $spool['oldest_unsent_at'] ) );
	}
	$rows += array(
		__( 'Last sent', 'nexpura' ) => $moment( $spool['last_sent_at'] ?? null ),
		__( 'Sent by', 'nexpura' )   => match ( (string) ( $spool['sender'] ?? '' ) ) {
			'agent'  => __( 'the daemon nexpura-agent', 'nexpura' ),
			'thread' => __( 'a PHP worker', 'nexpura' ),
			default  => __( 'nobody right now; the next capture starts it', 'nexpura' ),
		},
		/* translators: 1: size such as "64 KB", 2: the largest size. */
		__( 'Size', 'nexpura' )      => sprintf( __( '%1$s of %2$s', 'nexpura' ), (string) size_format( (int) ( $spool['bytes'] ?? 0 ) ), (string) size_format( (int) ( $spool['max_bytes'] ?? 0 ) ) ),
		__( 'File', 'nexpura' )      => (string) ( $spool['spool'] ?? '' ),
		__( 'Writable', 'nexpura' )  => empty( $spool['writable'] ) ? __( 'no', 'nexpura' ) : __( 'yes', 'nexpura' ),
	);
	if ( '' !== (string) ( $spool['last_error'] ?? '' ) ) {
		$rows[ __( 'Last problem', 'nexpura' ) ] = (string) $spool['last_error'];
	}
	return $rows;
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
 * @param string $action  connect, disconnect, separate, probe or drain.
 * @param string $label   Its label.
 * @param bool   $primary Whether it is the one to press.
 * @param string $further A further class of WordPress's buttons.
 */
function show_button( string $action, string $label, bool $primary, string $further = '' ): void {
	printf( '<form method="post" action="%s" style="display:inline-block;margin:1em 1em 0 0">', esc_url( admin_url( 'admin-post.php' ) ) );
	wp_nonce_field( 'nexpura_' . $action );
	printf( '<input type="hidden" name="action" value="%s">', esc_attr( 'nexpura_' . $action ) );
	printf( '<button class="button%s %s">%s</button></form>', $primary ? ' button-primary' : '', esc_attr( $further ), esc_html( $label ) );
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
