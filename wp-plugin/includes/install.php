<?php
/**
 * Activation, deactivation, and the event that runs every five minutes.
 *
 * @package Nexpura
 */

namespace Nexpura;

defined( 'ABSPATH' ) || exit;

const TICK_HOOK     = 'nexpura_tick';
const TICK_SCHEDULE = 'nexpura_five_minutes';
/** Seconds for which WP-Cron may send where nothing else does. */
const DRAIN_SECONDS = 20;

register_activation_hook(
	PLUGIN_FILE,
	static function (): void {
		// On a network only the present blog: each other makes its table and event when it first needs them.
		guarded( __NAMESPACE__ . '\prepare', null, 'activating' );
	}
);

register_deactivation_hook(
	PLUGIN_FILE,
	static function (): void {
		wp_clear_scheduled_hook( TICK_HOOK );
	}
);

/**
 * Makes what the plugin needs in this blog, and connects where a connection is configured already.
 */
function prepare(): void {
	ensure_revisions_table();
	store_id();
	schedule_tick();
	if ( null === woocommerce_problem() && is_registration_due() ) {
		do_background_work();
	}
}

/**
 * Schedules the event where it is not.
 */
function schedule_tick(): void {
	if ( ! wp_next_scheduled( TICK_HOOK ) ) {
		wp_schedule_event( time() + MINUTE_IN_SECONDS, TICK_SCHEDULE, TICK_HOOK );
	}
}

add_filter(
	'cron_schedules', // phpcs:ignore WordPress.WP.CronInterval
	static function ( $schedules ): array {
		$schedules                  = (array) $schedules;
		$schedules[ TICK_SCHEDULE ] = array(
			'interval' => 5 * MINUTE_IN_SECONDS,
			// Others ask for the schedules before translations may be loaded.
			'display'  => did_action( 'init' ) ? __( 'Every five minutes (Nexpura)', 'nexpura' ) : 'Every five minutes (Nexpura)',
		);
		return $schedules;
	}
);

// A plugin that was put in place without being activated prepares itself, from WP-Cron and not in a visitor's request.
add_action(
	'init',
	static function (): void {
		if ( false === get_option( SCHEMA_OPTION ) ) {
			schedule_tick();
		}
	}
);

// An upgrade by copying files runs no activation hook; neither does a new blog of a network.
add_action(
	'admin_init',
	static function (): void {
		guarded(
			static function (): void {
				ensure_revisions_table();
				schedule_tick();
			},
			null,
			'upgrading'
		);
	}
);

add_action(
	TICK_HOOK,
	static function (): void {
		guarded(
			static function (): void {
				repair_revisions_table();
				// First: on the command line the next step may start a thread, which sends as long as this process lives.
				drain_where_nothing_sends();
				advance_lineage_when_due();
			},
			null,
			'the five-minute event'
		);
	}
);

/**
 * Sends from here where neither the daemon nor a PHP worker does: the last resort of `nexpura.sender = auto`.
 */
function drain_where_nothing_sends(): void {
	if ( ! captures() || ! in_array( ini_get( 'nexpura.sender' ), array( false, '', 'auto' ), true ) ) {
		return;
	}
	$spool = \nexpura_status();
	// A mark counts as well: of a killed process nothing else is left.
	if ( 'none' === ( $spool['sender'] ?? '' ) && waiting_here( $spool ) > 0 ) {
		\nexpura_drain( DRAIN_SECONDS );
	}
}
