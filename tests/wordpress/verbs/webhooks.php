<?php
/**
 * WooCommerce's own webhooks: what a merchant sees of them, and running the queue that delivers them.
 */

declare(strict_types=1);

namespace Nexpura_Tests;

/** Runs whatever WooCommerce's Action Scheduler has to do by now, as WP-Cron would some time later. */
function run_action_scheduler(): int {
	$done = 0;
	do {
		$now   = \ActionScheduler_QueueRunner::instance()->run( 'Nexpura tests' );
		$done += $now;
	} while ( $now > 0 );
	return $done;
}

/**
 * Every webhook of the shop.
 *
 * @return list<array{id:int,topic:string,status:string,url:string,failures:int}>
 */
function webhooks(): array {
	$all = array();
	foreach ( \WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
		$webhook = wc_get_webhook( $id );
		$all[]   = array(
			'id'       => $webhook->get_id(),
			'topic'    => $webhook->get_topic(),
			'status'   => $webhook->get_status(),
			'url'      => $webhook->get_delivery_url(),
			'failures' => $webhook->get_failure_count(),
		);
	}
	return $all;
}

/**
 * A webhook that the merchant makes for somebody else.
 *
 * @param array{topic:string,url:string} $args Of what, and to where.
 */
function add_webhook( array $args ): int {
	$webhook = new \WC_Webhook();
	$webhook->set_name( 'Another' );
	$webhook->set_user_id( 1 );
	$webhook->set_topic( $args['topic'] );
	$webhook->set_delivery_url( $args['url'] );
	$webhook->set_secret( 'another' );
	$webhook->set_status( 'active' );
	return $webhook->save();
}

/** The plugin's connection ends by a person's wish. */
function disconnect(): bool {
	$answer = \Nexpura\disconnect();
	return null !== $answer && '' === $answer->problem;
}
