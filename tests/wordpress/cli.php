<?php
/**
 * The same as the door in the must-use plugin, on the command line: JSON in on standard input, JSON out.
 */

declare(strict_types=1);

$_SERVER['HTTP_HOST']      = getenv( 'NEXPURA_TESTS_HOST' );
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI']    = '/';

$request = (array) json_decode( file_get_contents( 'php://stdin' ), true );

if ( 'install' === ( $request['step'] ?? '' ) ) {
	// WordPress has no tables yet, so that it cannot load its plugins.
	define( 'WP_INSTALLING', true );
	require getenv( 'NEXPURA_TESTS_TREE' ) . '/wp-load.php';
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	$args = $request['args'];
	wp_install( $args['title'], $args['user'], $args['email'], true, '', $args['password'] );
	update_option( 'active_plugins', $args['plugins'] );
	$answer = array( 'result' => true );
} else {
	require getenv( 'NEXPURA_TESTS_TREE' ) . '/wp-load.php';
	require_once __DIR__ . '/run.php';
	$answer = nexpura_tests_run( $request );
}

echo "\n", json_encode( $answer );
