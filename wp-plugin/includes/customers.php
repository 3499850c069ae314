<?php
/**
 * What happens to registered customers. Guests are told by their orders.
 *
 * @package Nexpura
 */

namespace Nexpura;

use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * The user, where it is a customer: administrators and editors are none of Nexpura's business.
 *
 * @param mixed $id A user's id.
 */
function customer_user( mixed $id ): ?WP_User {
	$user = get_userdata( id_passed( $id ) );
	return $user instanceof WP_User && in_array( 'customer', $user->roles, true ) ? $user : null;
}

/**
 * Marks a user where it is a customer.
 *
 * @param mixed  $id   A user's id.
 * @param string $verb created or updated.
 */
function mark_customer( mixed $id, string $verb = 'updated' ): void {
	$id = id_passed( $id );
	if ( 0 !== $id && captures() && null !== customer_user( $id ) ) {
		mark( 'customer', $id, $verb );
	}
}

foreach ( array( 'user_register', 'woocommerce_created_customer', 'woocommerce_new_customer' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			mark_customer( $id, 'created' );
		}
	);
}
foreach ( array( 'profile_update', 'woocommerce_update_customer', 'woocommerce_customer_save_address', 'set_user_role', 'add_user_to_blog' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			mark_customer( $id );
		}
	);
}
// Read before they go: deleted, or on a network of sites only removed from this shop.
foreach ( array( 'delete_user', 'wpmu_delete_user', 'remove_user_from_blog' ) as $nexpura_hook ) {
	add_action(
		$nexpura_hook,
		static function ( $id ): void {
			$user = captures() ? customer_user( $id ) : null;
			if ( null !== $user ) {
				capture_deletion( 'customer', $user );
			}
		}
	);
}
unset( $nexpura_hook );
