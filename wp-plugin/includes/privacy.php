<?php
/**
 * WordPress's own privacy tools: what Nexpura keeps of a person is exported, and erased, with everything else.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/** Orders that are named to the relay at once; see `MAX_ORDERS` in `relay/src/service/privacy.rs`. */
const PRIVACY_ORDERS = 100;
/** Seconds for which the spool is sent before anything is erased: what waits there names the person too. */
const PRIVACY_DRAIN_SECONDS = 10;

add_filter(
	'wp_privacy_personal_data_exporters',
	static function ( $exporters ): array {
		$exporters            = (array) $exporters;
		$exporters['nexpura'] = array(
			'exporter_friendly_name' => 'Nexpura',
			'callback'               => __NAMESPACE__ . '\export_person',
		);
		return $exporters;
	}
);

// The first of all: WooCommerce's own eraser takes away by what an order can be found.
add_filter(
	'wp_privacy_personal_data_erasers',
	static function ( $erasers ): array {
		return array(
			'nexpura' => array(
				'eraser_friendly_name' => 'Nexpura',
				'callback'             => __NAMESPACE__ . '\erase_person',
			),
		) + (array) $erasers;
	},
	PHP_INT_MAX
);

add_action(
	'admin_init',
	static function (): void {
		if ( function_exists( 'wp_add_privacy_policy_content' ) ) {
			$text = __( 'Orders, and the names, addresses, e-mail addresses and telephone numbers in them, are passed on to Nexpura, where we keep our stock, sales and customers. They are exported and erased together with what this site keeps.', 'nexpura' );
			wp_add_privacy_policy_content( 'Nexpura', wp_kses_post( wpautop( $text ) ) );
		}
	}
);

/**
 * What Nexpura keeps of a person, a page at a time.
 *
 * @param string $email The person's e-mail.
 * @param int    $page  Which page, from 1.
 * @return array{data: array<int, array<string, mixed>>, done: bool}|WP_Error An export that silently lacks what
 *         Nexpura keeps would be a wrong one.
 */
function export_person( $email, $page = 1 ): array|WP_Error {
	$nothing    = array(
		'data' => array(),
		'done' => true,
	);
	$connection = is_connected() ? connection() : null;
	if ( null === $connection ) {
		return $nothing;
	}
	$answer = post_to_relay(
		$connection,
		'v1/person',
		array(
			'email' => (string) $email,
			'page'  => max( 1, (int) $page ),
		)
	);
	if ( '' !== $answer->problem ) {
		log_warning( 'exporting what Nexpura keeps of a person failed: ' . $answer->problem );
		// WordPress's page shows it as HTML.
		return new WP_Error( 'nexpura_export', esc_html( $answer->message ) );
	}
	$data = array();
	if ( is_array( $answer->data['customer'] ?? null ) && 1 === max( 1, (int) $page ) ) {
		$data[] = exported( 'nexpura-customer', __( 'Nexpura: customer', 'nexpura' ), 'customer', $answer->data['customer'] );
	}
	foreach ( is_array( $answer->data['sales'] ?? null ) ? $answer->data['sales'] : array() as $sale ) {
		if ( is_array( $sale ) ) {
			$data[] = exported( 'nexpura-sales', __( 'Nexpura: sales', 'nexpura' ), 'sale-' . (string) ( $sale['number'] ?? '' ), $sale );
		}
	}
	return array(
		'data' => $data,
		'done' => empty( $answer->data['more'] ),
	);
}

/**
 * One group's item in the exporter's shape; what is nested is told by its path.
 *
 * @param string               $group  The group's name.
 * @param string               $label  The group's label.
 * @param string               $item   The item's name.
 * @param array<string, mixed> $fields What is kept.
 * @return array<string, mixed>
 */
function exported( string $group, string $label, string $item, array $fields ): array {
	$told = array();
	$walk = static function ( array $fields, string $path ) use ( &$walk, &$told ): void {
		foreach ( $fields as $name => $value ) {
			$name = '' === $path ? (string) $name : $path . ', ' . $name;
			if ( is_array( $value ) ) {
				$walk( $value, $name );
			} elseif ( is_scalar( $value ) && '' !== (string) $value ) {
				$told[] = array(
					'name'  => esc_html( str_replace( '_', ' ', $name ) ),
					// WordPress allows some HTML in values; what a shop or a relay says is none.
					'value' => esc_html( (string) $value ),
				);
			}
		}
	};
	$walk( $fields, '' );
	return array(
		'group_id'    => $group,
		'group_label' => esc_html( $label ),
		'item_id'     => 'nexpura-' . sanitize_key( $item ),
		'data'        => $told,
	);
}

/**
 * Has Nexpura forget a person. Sales stay, without anything that tells whose they were.
 *
 * @param string $email The person's e-mail.
 * @param int    $page  Which page, from 1: a hundred of the person's orders each.
 * @return array{items_removed: bool, items_retained: bool, messages: string[], done: bool}
 */
function erase_person( $email, $page = 1 ): array {
	$result     = static fn( bool $removed, bool $retained, array $messages, bool $done = true ): array => array(
		'items_removed'  => $removed,
		'items_retained' => $retained,
		// WordPress's page shows them as HTML.
		'messages'       => array_map( 'esc_html', $messages ),
		'done'           => $done,
	);
	$connection = is_connected() ? connection() : null;
	if ( null === $connection ) {
		return null === registered()
			? $result( false, false, array() )
			: $result( false, true, array( __( 'Nexpura was not asked: this shop is not connected any more. Erase the person there too.', 'nexpura' ) ) );
	}
	if ( waiting_here() > 0 && captures() ) {
		\nexpura_drain( PRIVACY_DRAIN_SECONDS );
	}
	$page   = max( 1, (int) $page );
	$user   = get_user_by( 'email', (string) $email );
	$id     = false === $user ? 0 : $user->ID;
	$orders = orders_of_person( (string) $email, $id, $page );
	$answer = post_to_relay(
		$connection,
		'v1/erase',
		array(
			'email'   => (string) $email,
			'account' => $id,
			'orders'  => $orders,
		)
	);
	if ( '' !== $answer->problem ) {
		log_warning( 'having a person forgotten failed: ' . $answer->problem );
		/* translators: %s: what went wrong. */
		return $result( false, true, array( sprintf( __( 'Nexpura could not be told to forget this person; erase once more later. %s', 'nexpura' ), $answer->message ) ) );
	}
	$messages = array();
	$retained = ! empty( $answer->data['retained'] );
	if ( $retained ) {
		$messages[] = __( 'Nexpura knows this person from elsewhere too, and keeps what came from there.', 'nexpura' );
	}
	$removed = (int) ( $answer->data['sales'] ?? 0 ) + (int) ( $answer->data['customers'] ?? 0 ) > 0;
	return $result( $removed, $retained, $messages, empty( $answer->data['more'] ) && count( $orders ) < PRIVACY_ORDERS );
}

/**
 * The person's orders here, by e-mail or account: also those that Nexpura has not heard of yet.
 *
 * @param string $email The e-mail.
 * @param int    $user  The account, or 0.
 * @param int    $page  Which page, from 1.
 * @return int[]
 */
function orders_of_person( string $email, int $user, int $page ): array {
	if ( null !== woocommerce_problem() ) {
		return array();
	}
	$found = wc_get_orders(
		array(
			'limit'    => PRIVACY_ORDERS,
			'page'     => $page,
			'customer' => $user > 0 ? array( $email, $user ) : array( $email ),
			'orderby'  => 'ID',
			'order'    => 'ASC',
			'return'   => 'ids',
		)
	);
	return array_values( array_map( 'intval', is_array( $found ) ? $found : array() ) );
}
