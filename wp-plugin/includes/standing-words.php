<?php
/**
 * How this shop's connection and its spool stand, in words: for the settings page, Site Health and the status report.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * What somebody else's part said, as a sentence of ours.
 *
 * @param string $text Such as an error's message.
 */
function as_sentence( string $text ): string {
	$text = rtrim( trim( $text ), '.' );
	return '' === $text ? '' : ucfirst( $text ) . '.';
}

/**
 * A moment as people here write it; "never" for none.
 *
 * @param mixed $at In seconds since 1970, or nothing.
 */
function moment_in_words( mixed $at ): string {
	return is_numeric( $at ) ? (string) wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), (int) $at ) : __( 'never', 'nexpura' );
}

/**
 * That the key is gone by which Nexpura reads and sets.
 */
function keyless_message(): string {
	return __( 'The WooCommerce key that Nexpura uses was removed, so stock and orders cannot be read or set. Connect again: a new key is made.', 'nexpura' );
}

/**
 * How a connected shop stands, in a sentence or two.
 *
 * @param Standing                  $standing What the relay said.
 * @param array<string, mixed>|null $spool    The extension's status, where it is loaded.
 * @param bool                      $keyless  Whether the key is gone by which Nexpura reads and sets.
 * @return array{kind: string, title: string, told: string} success, warning or error, and what to say.
 */
function health_in_words( Standing $standing, ?array $spool, bool $keyless ): array {
	$words = static fn( string $kind, string $title, string $told ): array => array(
		'kind'  => $kind,
		'title' => $title,
		'told'  => $told,
	);
	if ( $keyless ) {
		return $words( 'error', __( 'Nexpura cannot read this shop', 'nexpura' ), keyless_message() );
	}
	$unsent = (int) ( $spool['unsent'] ?? 0 );
	$status = (string) ( $standing->store['status'] ?? '' );
	if ( '' !== $standing->problem || 'connected' !== $status ) {
		$told = '' === $standing->problem ? (string) ( $standing->store['detail'] ?? '' ) : $standing->problem;
		$told = as_sentence( $told );
		if ( $unsent > 0 ) {
			/* translators: %s: a number. */
			$told .= ' ' . sprintf( _n( '%s event waits here and is sent later by itself.', '%s events wait here and are sent later by themselves.', $unsent, 'nexpura' ), number_format_i18n( $unsent ) );
		} elseif ( '' !== $standing->problem && null !== $spool ) {
			$told .= ' ' . __( 'What is sold meanwhile is kept here and sent later by itself.', 'nexpura' );
		}
		return $words(
			'warning',
			match ( true ) {
				'' !== $standing->problem  => __( 'No connection to Nexpura right now', 'nexpura' ),
				'disconnected' === $status => __( 'Disconnected in Nexpura', 'nexpura' ),
				default                    => __( 'Nexpura has a problem with this shop', 'nexpura' ),
			},
			trim( $told )
		);
	}
	$connected = __( 'Connected', 'nexpura' );
	if ( $unsent > 0 ) {
		/* translators: %s: a number. */
		return $words( 'warning', $connected, sprintf( _n( '%s event is waiting to be sent.', '%s events are waiting to be sent.', $unsent, 'nexpura' ), number_format_i18n( $unsent ) ) );
	}
	return $words(
		'success',
		$connected,
		match ( true ) {
			null === $spool                 => __( 'Nexpura hears of sales by WooCommerce\'s webhooks.', 'nexpura' ),
			isset( $spool['last_sent_at'] ) => __( 'Everything is sent.', 'nexpura' ),
			default                         => __( 'Nothing had to be sent yet.', 'nexpura' ),
		}
	);
}

/**
 * How the relay sees this shop, with all that support wants to know of it.
 *
 * @param Standing $standing What it said.
 */
function store_in_words( Standing $standing ): string {
	if ( '' !== $standing->problem ) {
		return '' === $standing->cause ? $standing->problem : $standing->cause;
	}
	$status = match ( (string) ( $standing->store['status'] ?? '' ) ) {
		'connected'    => __( 'connected', 'nexpura' ),
		'disconnected' => __( 'disconnected', 'nexpura' ),
		default        => __( 'something is wrong', 'nexpura' ),
	};
	return trim( $status . ' ' . (string) ( $standing->store['detail'] ?? '' ) );
}

/**
 * How the spool stands, each figure under its name.
 *
 * @param array<string, mixed> $spool The extension's status.
 * @return array<string, array{label: string, value: string}>
 */
function spool_fields( array $spool ): array {
	$field  = static fn( string $label, string $value ): array => array(
		'label' => $label,
		'value' => $value,
	);
	$fields = array(
		'unsent'       => $field( __( 'Waiting to be sent', 'nexpura' ), number_format_i18n( (int) ( $spool['unsent'] ?? 0 ) ) ),
		'open_intents' => $field( __( 'Being captured', 'nexpura' ), number_format_i18n( (int) ( $spool['open_intents'] ?? 0 ) ) ),
	);
	if ( isset( $spool['oldest_unsent_at'] ) ) {
		/* translators: %s: a duration such as "7 mins". */
		$fields['oldest_unsent_at'] = $field( __( 'Oldest of them', 'nexpura' ), sprintf( __( '%s ago', 'nexpura' ), human_time_diff( (int) $spool['oldest_unsent_at'] ) ) );
	}
	$sender = match ( (string) ( $spool['sender'] ?? '' ) ) {
		'agent'  => __( 'the daemon nexpura-agent', 'nexpura' ),
		'thread' => __( 'a PHP worker', 'nexpura' ),
		default  => __( 'nobody right now; the next capture starts it', 'nexpura' ),
	};
	$file    = (string) ( $spool['spool'] ?? '' );
	$fields += array(
		'last_sent_at' => $field( __( 'Last sent', 'nexpura' ), moment_in_words( $spool['last_sent_at'] ?? null ) ),
		'sender'       => $field( __( 'Sent by', 'nexpura' ), $sender ),
		/* translators: 1: size such as "64 KB", 2: the largest size. */
		'bytes'        => $field( __( 'Size', 'nexpura' ), sprintf( __( '%1$s of %2$s', 'nexpura' ), (string) size_format( (int) ( $spool['bytes'] ?? 0 ) ), (string) size_format( (int) ( $spool['max_bytes'] ?? 0 ) ) ) ),
		// A path in one piece is wider than the tables that it stands in.
		'folder'       => $field( __( 'Folder', 'nexpura' ), '' === $file ? '' : dirname( $file ) ),
		'file'         => $field( __( 'File', 'nexpura' ), basename( $file ) ),
		'writable'     => $field( __( 'Writable', 'nexpura' ), empty( $spool['writable'] ) ? __( 'no', 'nexpura' ) : __( 'yes', 'nexpura' ) ),
	);
	if ( '' !== (string) ( $spool['last_error'] ?? '' ) ) {
		$fields['last_error'] = $field( __( 'Last problem', 'nexpura' ), as_sentence( (string) $spool['last_error'] ) );
	}
	return $fields;
}
