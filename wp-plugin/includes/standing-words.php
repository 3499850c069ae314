<?php
/**
 * How this shop's connection and its spool stand, in words: for the settings page, Site Health and the status report.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

/**
 * What somebody else's part said, as a sentence of ours: with a capital, and a full stop where it does not end already.
 *
 * @param string $text Such as an error's message.
 */
function as_sentence( string $text ): string {
	$text = trim( $text );
	if ( '' === rtrim( $text, '.' ) ) {
		return '';
	}
	// Quotation marks and brackets may close behind it.
	$ends = 1 === preg_match( '/[.!?…。！？]["\'”’»)\]」]*$/u', $text ) || str_ends_with( $text, '.' );
	return ucfirst( $text ) . ( $ends ? '' : '.' );
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
 * A moment as support reads it, in whichever language the shop is; "never" for none.
 *
 * @param mixed $at In seconds since 1970, or nothing.
 */
function moment_for_support( mixed $at ): string {
	return is_numeric( $at ) ? gmdate( 'Y-m-d\TH:i:s\Z', (int) $at ) : 'never';
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
 * @return array<string, array{label: string, value: string, debug: string}> `debug` is the figure itself, in no language.
 */
function spool_fields( array $spool ): array {
	$field  = static fn( string $label, string $value, string $debug ): array => array(
		'label' => $label,
		'value' => $value,
		'debug' => $debug,
	);
	$count  = static fn( string $label, int $count ): array => $field( $label, number_format_i18n( $count ), (string) $count );
	$fields = array(
		'unsent'       => $count( __( 'Waiting to be sent', 'nexpura' ), (int) ( $spool['unsent'] ?? 0 ) ),
		'open_intents' => $count( __( 'Being captured', 'nexpura' ), (int) ( $spool['open_intents'] ?? 0 ) ),
	);
	if ( isset( $spool['oldest_unsent_at'] ) ) {
		/* translators: %s: a duration such as "7 mins". */
		$fields['oldest_unsent_at'] = $field( __( 'Oldest of them', 'nexpura' ), sprintf( __( '%s ago', 'nexpura' ), human_time_diff( (int) $spool['oldest_unsent_at'] ) ), moment_for_support( $spool['oldest_unsent_at'] ) );
	}
	$sends  = (string) ( $spool['sender'] ?? 'none' );
	$sender = match ( $sends ) {
		'agent'  => __( 'the daemon nexpura-agent', 'nexpura' ),
		'thread' => __( 'a PHP worker', 'nexpura' ),
		default  => __( 'nobody right now; the next capture starts it', 'nexpura' ),
	};
	$file    = (string) ( $spool['spool'] ?? '' );
	$folder  = '' === $file ? '' : dirname( $file );
	$bytes   = (int) ( $spool['bytes'] ?? 0 );
	$most    = (int) ( $spool['max_bytes'] ?? 0 );
	$writes  = ! empty( $spool['writable'] );
	$problem = (string) ( $spool['last_error'] ?? '' );
	$fields += array(
		'last_sent_at' => $field( __( 'Last sent', 'nexpura' ), moment_in_words( $spool['last_sent_at'] ?? null ), moment_for_support( $spool['last_sent_at'] ?? null ) ),
		'sender'       => $field( __( 'Sent by', 'nexpura' ), $sender, $sends ),
		/* translators: 1: size such as "64 KB", 2: the largest size. */
		'bytes'        => $field( __( 'Size', 'nexpura' ), sprintf( __( '%1$s of %2$s', 'nexpura' ), (string) size_format( $bytes ), (string) size_format( $most ) ), "$bytes of $most" ),
		// A path in one piece is wider than the tables that it stands in.
		'folder'       => $field( __( 'Folder', 'nexpura' ), $folder, $folder ),
		'file'         => $field( __( 'File', 'nexpura' ), basename( $file ), basename( $file ) ),
		'writable'     => $field( __( 'Writable', 'nexpura' ), $writes ? __( 'yes', 'nexpura' ) : __( 'no', 'nexpura' ), $writes ? 'yes' : 'no' ),
	);
	if ( '' !== $problem ) {
		$fields['last_error'] = $field( __( 'Last problem', 'nexpura' ), as_sentence( $problem ), $problem );
	}
	return $fields;
}
