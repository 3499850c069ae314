<?php
/**
 * The cards of the settings page: connecting, how a connected shop stands, everything for support, and the farewell.
 * The secret is never shown again.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * Connecting for the first time, step by step.
 */
function show_first_steps(): void {
	echo '<section class="nexpura-card"><h2>' . esc_html__( 'Connect this shop to Nexpura', 'nexpura' ) . '</h2>';
	echo '<p>' . esc_html__( 'Stock, sales and customers are then kept in agreement, here and in Nexpura. Nothing changes for your visitors.', 'nexpura' ) . '</p><ol>';
	foreach (
		array(
			__( 'In Nexpura open Integrations and choose “Connect a store”.', 'nexpura' ),
			__( 'Choose “Make a connection string” and copy the line that it shows; it is shown once.', 'nexpura' ),
			__( 'Paste the whole line here.', 'nexpura' ),
		) as $step
	) {
		echo '<li>' . esc_html( $step ) . '</li>';
	}
	echo '</ol>';
	show_connection_form( __( 'Connect', 'nexpura' ), true );
	echo '</section>';
}

/**
 * The field for another connection string, for those who ask for it.
 */
function show_replacement(): void {
	// While nothing works it is what people come for.
	printf( '<details class="nexpura-card nexpura-replacement"%s><summary>%s</summary>', is_connected() || is_moved() ? '' : ' open', esc_html__( 'Use another connection string', 'nexpura' ) );
	echo '<p>' . esc_html__( 'One is kept already. It is not shown again; paste another to replace it.', 'nexpura' ) . '</p>';
	show_connection_form( __( 'Replace and connect', 'nexpura' ), false );
	echo '</details>';
}

/**
 * The field for the connection string, and its button.
 *
 * @param string $button  The button's label.
 * @param bool   $primary Whether it is what people come for.
 */
function show_connection_form( string $button, bool $primary ): void {
	printf( '<form method="post" action="%s" autocomplete="off">', esc_url( admin_url( 'admin-post.php' ) ) );
	wp_nonce_field( 'nexpura_connect' );
	?>
	<input type="hidden" name="action" value="nexpura_connect">
	<label for="nexpura-connection"><?php esc_html_e( 'Connection string', 'nexpura' ); ?></label>
	<input type="password" id="nexpura-connection" name="connection" class="large-text code" value="" autocomplete="new-password" spellcheck="false" required
		placeholder="https://…@relay.example">
	<div class="nexpura-buttons">
		<button class="button<?php echo $primary ? ' button-primary' : ''; ?>"><?php echo esc_html( $button ); ?></button>
	</div>
	</form>
	<?php
}

/**
 * Where the connection string is from, if not from this page.
 *
 * @param string $source Which place.
 */
function show_source( string $source ): void {
	echo '<section class="nexpura-card"><h2>' . esc_html__( 'Connection string', 'nexpura' ) . '</h2>';
	/* translators: %s: where the connection string was found. */
	echo '<p>' . esc_html( sprintf( __( 'It is taken from %s; to change it, change it there.', 'nexpura' ), source_label( $source ) ) ) . '</p></section>';
}

/**
 * A string is there, and the relay has not accepted it yet.
 */
function show_half_connected(): void {
	echo '<section class="nexpura-card nexpura-warning"><h2 class="nexpura-how">' . esc_html__( 'Not connected yet', 'nexpura' ) . '</h2>';
	echo '<p>' . esc_html__( 'A connection string is there, but this shop is not registered with its relay.', 'nexpura' ) . '</p><div class="nexpura-buttons">';
	show_button( 'connect', __( 'Connect now', 'nexpura' ), ' button-primary' );
	echo '</div></section>';
}

/**
 * The choice that only a person can make: moved, or copied.
 */
function show_moved(): void {
	echo '<section class="nexpura-card nexpura-error"><h2 class="nexpura-how">' . esc_html__( 'Moved, or a copy?', 'nexpura' ) . '</h2>';
	echo '<p>' . esc_html( moved_message() ) . '</p><div class="nexpura-buttons">';
	show_button( 'connect', __( 'The shop has moved here: connect it under this address', 'nexpura' ), ' button-primary' );
	show_button( 'separate', __( 'This is a copy: make it a store of its own', 'nexpura' ) );
	echo '</div></section>';
}

/**
 * How a connected shop stands: in a sentence, in three figures, and for support in everything.
 *
 * @param string $source Where the connection string is from.
 */
function show_connected( string $source ): void {
	$state    = (array) registered();
	$standing = standing();
	$spool    = spool_status();
	$unsent   = (int) ( $spool['unsent'] ?? 0 );
	$keyless  = ! has_rest_key( (int) ( $state['key_id'] ?? 0 ) );
	$health   = health_in_words( $standing, $spool, $keyless );
	printf( '<section class="nexpura-card nexpura-%s">', esc_attr( $health['kind'] ) );
	show_health( $health );
	echo '<dl class="nexpura-figures">';
	foreach ( figures( $state, $spool ) as $label => $figure ) {
		printf( '<div><dt>%s</dt><dd>%s</dd></div>', esc_html( $label ), esc_html( $figure ) );
	}
	echo '</dl><div class="nexpura-buttons">';
	if ( $keyless ) {
		show_button( 'connect', __( 'Connect again (makes a new key)', 'nexpura' ), ' button-primary' );
	} elseif ( $unsent > 0 ) {
		show_button( 'drain', __( 'Send now', 'nexpura' ), ' button-primary' );
	}
	printf( '<a class="button" href="%s">%s</a></div></section>', esc_url( (string) $state['relay'] ), esc_html__( 'Open Nexpura', 'nexpura' ) );

	echo '<details class="nexpura-card nexpura-support"><summary>' . esc_html__( 'For support', 'nexpura' ) . '</summary>';
	show_rows( __( 'Connection', 'nexpura' ), connection_rows( $state, $standing, $source ) );
	if ( null !== $spool ) {
		show_rows( __( 'Spool', 'nexpura' ), array_column( spool_fields( $spool ), 'value', 'label' ) );
	}
	echo '<div class="nexpura-buttons">';
	if ( null !== $spool && ( $keyless || 0 === $unsent ) ) {
		show_button( 'drain', __( 'Send now', 'nexpura' ) );
	}
	show_button( 'probe', __( 'Send test event', 'nexpura' ) );
	if ( ! $keyless ) {
		show_button( 'connect', __( 'Connect again (makes a new key)', 'nexpura' ) );
	}
	echo '</div></details>';
}

/**
 * How it stands, in a sentence or two. The relay does not always say more than the title does.
 *
 * @param array{kind: string, title: string, told: string} $health From `health_in_words`.
 */
function show_health( array $health ): void {
	echo '<h2 class="nexpura-how">' . esc_html( $health['title'] ) . '</h2>';
	if ( '' !== $health['told'] ) {
		echo '<p>' . esc_html( $health['told'] ) . '</p>';
	}
}

/**
 * What a person wants to know first.
 *
 * @param array<string, mixed>      $state The registration.
 * @param array<string, mixed>|null $spool The extension's status, where it is loaded.
 * @return array<string, string>
 */
function figures( array $state, ?array $spool ): array {
	$figures = array( __( 'Connected since', 'nexpura' ) => (string) wp_date( get_option( 'date_format' ), (int) $state['at'] ) );
	if ( null !== $spool ) {
		$figures[ __( 'Waiting here', 'nexpura' ) ] = number_format_i18n( (int) ( $spool['unsent'] ?? 0 ) );
		/* translators: %s: a duration such as "7 mins". */
		$figures[ __( 'Last sent', 'nexpura' ) ] = is_numeric( $spool['last_sent_at'] ?? null ) ? sprintf( __( '%s ago', 'nexpura' ), human_time_diff( (int) $spool['last_sent_at'] ) ) : __( 'never', 'nexpura' );
	}
	return $figures;
}

/**
 * The connection in all its parts.
 *
 * @param array<string, mixed> $state    The registration.
 * @param Standing             $standing What the relay says.
 * @param string               $source   Where the connection string is from.
 * @return array<string, string>
 */
function connection_rows( array $state, Standing $standing, string $source ): array {
	return array(
		__( 'Nexpura says', 'nexpura' )           => store_in_words( $standing ),
		__( 'Relay', 'nexpura' )                  => (string) $state['relay'],
		__( 'Connected as', 'nexpura' )           => (string) $state['home'],
		__( 'Since', 'nexpura' )                  => moment_in_words( $state['at'] ),
		__( 'Connection string from', 'nexpura' ) => source_label( $source ),
		__( 'Capture', 'nexpura' )                => null === extension_version()
			? __( 'by WooCommerce\'s webhooks (the PHP extension is not loaded)', 'nexpura' )
			/* translators: %s: version. */
			: sprintf( __( 'by the PHP extension %s', 'nexpura' ), extension_version() ),
	);
}

/**
 * Prints a table of names and values.
 *
 * @param string                $caption What it is about.
 * @param array<string, string> $rows    Values by name.
 */
function show_rows( string $caption, array $rows ): void {
	echo '<h3>' . esc_html( $caption ) . '</h3><table class="widefat striped"><tbody>';
	foreach ( $rows as $label => $value ) {
		printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $label ), esc_html( $value ) );
	}
	echo '</tbody></table>';
}

/**
 * Asks before the shop is disconnected.
 */
function show_farewell(): void {
	printf( '<details class="nexpura-card"><summary>%s</summary><h2>%s</h2><ul class="ul-disc">', esc_html__( 'Disconnect…', 'nexpura' ), esc_html__( 'Disconnect this shop from Nexpura?', 'nexpura' ) );
	echo '<li>' . esc_html__( 'Sales made from now on no longer reach Nexpura, and Nexpura no longer changes stock here.', 'nexpura' ) . '</li>';
	echo '<li>' . esc_html__( 'The API key that Nexpura uses is removed from WooCommerce.', 'nexpura' ) . '</li>';
	echo '<li>' . esc_html__( 'Orders, products and customers in this shop stay as they are, and Nexpura keeps its history.', 'nexpura' ) . '</li></ul><div class="nexpura-buttons">';
	show_button( 'disconnect', __( 'Disconnect', 'nexpura' ), ' nexpura-grave' );
	echo '</div></details>';
}

/**
 * A form that is one button.
 *
 * @param string $action connect, disconnect, separate, probe or drain.
 * @param string $label  Its label.
 * @param string $kind   A further class, such as WordPress's ` button-primary`.
 */
function show_button( string $action, string $label, string $kind = '' ): void {
	printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
	wp_nonce_field( 'nexpura_' . $action );
	printf( '<input type="hidden" name="action" value="%s">', esc_attr( 'nexpura_' . $action ) );
	printf( '<button class="button%s">%s</button></form>', esc_attr( $kind ), esc_html( $label ) );
}
