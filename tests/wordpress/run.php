<?php
/**
 * Runs one request of the tests inside WordPress: a verb by name, or code.
 */

declare(strict_types=1);

/**
 * Runs it as the shop's administrator.
 *
 * @param array{call?:string,code?:string,args?:array<string,mixed>} $request A verb's name or code, and its arguments.
 * @return array{result:mixed}|array{error:string}
 */
function nexpura_tests_run( array $request ): array {
	foreach ( glob( __DIR__ . '/verbs/*.php' ) as $file ) {
		require_once $file;
	}
	wp_set_current_user( 1 );
	$args = $request['args'] ?? array();
	try {
		if ( isset( $request['call'] ) ) {
			return array( 'result' => ( 'Nexpura_Tests\\' . $request['call'] )( $args ) );
		}
		$run = static fn( array $args, string $code ): mixed => eval( $code );
		return array( 'result' => $run( $args, $request['code'] ) );
	} catch ( Throwable $problem ) {
		return array( 'error' => $problem->getMessage() . ' in ' . $problem->getFile() . ':' . $problem->getLine() );
	}
}
