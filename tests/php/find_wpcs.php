<?php
/**
 * How the plugin's standards are found: a composer that cannot fetch them is not waited for each time, and what lies in the
 * cache is run as it was tried.
 *
 * `php tests/php/find_wpcs.php`. Says what does not fit and leaves with 1.
 */

declare(strict_types=1);

$root  = dirname( __DIR__, 2 );
$home  = sys_get_temp_dir() . '/nexpura-find-wpcs-' . bin2hex( random_bytes( 6 ) );
$cache = "$home/cache/nexpura";
$put   = static function ( string $path, string $text, int $mode = 0644 ): void {
	is_dir( dirname( $path ) ) || mkdir( dirname( $path ), 0755, true );
	file_put_contents( $path, $text );
	chmod( $path, $mode );
};
register_shutdown_function( static fn() => exec( 'rm -rf ' . escapeshellarg( $home ) ) );

/** What a script says, both ways, and with what it leaves. */
$run    = static function ( string $script ) use ( $root, $home ): array {
	$said = array();
	$left = 0;
	exec( sprintf( 'env -u PHPCS -u NEXPURA_REQUIRE_WPCS XDG_CACHE_HOME=%s PATH=%s:"$PATH" %s 2>&1', escapeshellarg( "$home/cache" ), escapeshellarg( "$home/bin" ), escapeshellarg( "$root/scripts/$script" ) ), $said, $left );
	return array( implode( "\n", $said ), $left );
};
$expect = static function ( string $what, bool $holds, string $said ): void {
	if ( ! $holds ) {
		fwrite( STDERR, "find_wpcs: $what\n$said\n" );
		exit( 1 );
	}
};
$asked  = static function () use ( $home ): int {
	clearstatcache();
	return is_file( "$home/asked" ) ? filesize( "$home/asked" ) : 0;
};

// A composer that has no network.
$put( "$home/bin/composer", "#!/bin/sh\nprintf x >>" . escapeshellarg( "$home/asked" ) . "\nprintf '\\n  [TransportException]\\n  nobody answers\\n' >&2\nexit 100\n", 0755 );
list( $said, $left ) = $run( 'find-wpcs' );
$expect( 'a composer without network finds something', 1 === $left && str_contains( $said, 'composer could not fetch' ), $said );
list( $said, $left ) = $run( 'find-wpcs' );
$failed              = glob( "$cache/wpcs-*.failed" );
$expect( 'composer is waited for again at once', 1 === $left && 1 === $asked(), $said );
$expect( 'it is not said how to try at once', 1 === count( $failed ) && str_contains( $said, "to try at once: rm $failed[0]" ) && str_contains( $said, 'TransportException' ), $said );
touch( $failed[0], time() - 3700 );
list( $said ) = $run( 'find-wpcs' );
$expect( 'composer is not tried after an hour', 2 === $asked() && ! str_contains( $said, 'to try at once' ), $said );
unlink( $failed[0] );
list( $said ) = $run( 'find-wpcs' );
$expect( 'composer is not tried by who asked for it', 3 === $asked(), $said );

// Standards whose phpcs is a file of PHP, not marked as a program.
foreach ( array( 'WordPress', 'Universal', 'PHPCSUtils' ) as $standard ) {
	$put( "$cache/wpcs/standards/$standard/ruleset.xml", '<ruleset/>' );
}
$put( "$cache/wpcs/vendor/bin/phpcs", '<?php file_put_contents( ' . var_export( "$home/ran", true ) . ', implode( " ", $argv ) . "\n", FILE_APPEND );' );
list( $said, $left ) = $run( 'check-plugin' );
$ran                 = is_file( "$home/ran" ) ? (string) file_get_contents( "$home/ran" ) : '';
$expect( 'what was found is not run', 0 === $left && str_contains( $ran, '--standard=scripts/phpcs-wordpress.xml wp-plugin' ), "$said\n$ran" );
echo "find_wpcs: found as it should be\n";
