<?php
/**
 * What must hold of every file of the plugin, read from its tokens: whatever is printed is escaped, whatever changes
 * something asks for a capability and a nonce, every text can be translated. Small bad examples prove that each rule
 * bites.
 */

declare(strict_types=1);

/** Functions whose result may be printed. */
const ESCAPERS = array( 'esc_html', 'esc_html__', 'esc_html_e', 'esc_attr', 'esc_attr__', 'esc_url', 'wp_kses_post', 'absint' );
/** Functions that print their arguments. */
const PRINTERS = array( 'printf', 'vprintf', 'print_r', 'var_dump', '_e' );
/** Functions that translate, and at which places their texts stand. */
const TRANSLATORS = array(
	'__'         => array( 0 ),
	'_x'         => array( 0, 1 ),
	'_n'         => array( 0, 1 ),
	'esc_html__' => array( 0 ),
	'esc_html_e' => array( 0 ),
	'esc_attr__' => array( 0 ),
	'esc_attr_e' => array( 0 ),
);
/** What a browser sent. */
const SENT = array( '$_GET', '$_POST', '$_REQUEST', '$_COOKIE', '$_FILES' );

/**
 * One file's tokens, without white space and comments.
 *
 * @return PhpToken[]
 */
function tokens_of( string $code ): array {
	return array_values( array_filter( PhpToken::tokenize( $code ), static fn( PhpToken $token ): bool => ! $token->isIgnorable() || $token->is( T_OPEN_TAG_WITH_ECHO ) ) );
}

/**
 * Where the bracket that opens at a place closes.
 *
 * @param PhpToken[] $tokens The file.
 */
function closing( array $tokens, int $open ): int {
	$depth = 0;
	for ( $at = $open; $at < count( $tokens ); $at++ ) {
		$depth += in_array( $tokens[ $at ]->text, array( '(', '[', '{', '${' ), true ) || $tokens[ $at ]->is( T_CURLY_OPEN ) ? 1 : 0;
		$depth -= in_array( $tokens[ $at ]->text, array( ')', ']', '}' ), true ) ? 1 : 0;
		if ( 0 === $depth ) {
			return $at;
		}
	}
	return count( $tokens ) - 1;
}

/**
 * Parts between separators that stand in no bracket.
 *
 * @param PhpToken[] $tokens     An expression.
 * @param string[]   $separators Such as a comma.
 * @return PhpToken[][]
 */
function split( array $tokens, array $separators ): array {
	$parts = array( array() );
	$depth = 0;
	foreach ( $tokens as $token ) {
		$depth += in_array( $token->text, array( '(', '[', '{' ), true ) ? 1 : 0;
		$depth -= in_array( $token->text, array( ')', ']', '}' ), true ) ? 1 : 0;
		if ( 0 === $depth && in_array( $token->text, $separators, true ) ) {
			$parts[] = array();
		} else {
			$parts[ count( $parts ) - 1 ][] = $token;
		}
	}
	return array_values( array_filter( $parts ) );
}

/**
 * Whether an expression may be printed as it is.
 *
 * @param PhpToken[] $tokens The expression.
 */
function is_escaped( array $tokens ): bool {
	foreach ( split( $tokens, array( '.', ',' ) ) as $part ) {
		$choices = split( $part, array( '?', ':' ) );
		if ( count( $choices ) > 1 ) {
			// What decides is not printed.
			foreach ( array_slice( $choices, 1 ) as $choice ) {
				if ( ! is_escaped( $choice ) ) {
					return false;
				}
			}
			continue;
		}
		$first   = $part[0];
		$literal = 1 === count( $part ) && $first->is( array( T_CONSTANT_ENCAPSED_STRING, T_LNUMBER ) );
		$called  = isset( $part[1] ) && '(' === $part[1]->text && closing( $part, 1 ) === count( $part ) - 1;
		$escaped = $called && in_array( $first->text, ESCAPERS, true );
		$inside  = $called && in_array( $first->text, array( 'sprintf', '' ), true ) && is_escaped( array_slice( $part, 2, -1 ) );
		if ( ! $literal && ! $escaped && ! $inside ) {
			return false;
		}
	}
	return true;
}

/**
 * What is wrong with a file.
 *
 * @return string[]
 */
function wrongs( string $code ): array {
	$tokens = tokens_of( $code );
	$wrong  = array();
	$say    = static function ( PhpToken $token, string $what ) use ( &$wrong ): void {
		$wrong[] = "line {$token->line}: $what";
	};
	if ( ! preg_match( "~defined\( '(ABSPATH|WP_UNINSTALL_PLUGIN)' \) \|\| exit;~", $code ) ) {
		$wrong[] = 'it can be called from outside WordPress';
	}
	$permitted = array();
	foreach ( $tokens as $at => $token ) {
		$next = $tokens[ $at + 1 ] ?? null;
		$call = null !== $next && '(' === $next->text && $token->is( T_STRING ) && ! in_array( $tokens[ $at - 1 ]->text ?? '', array( '->', '::', 'function' ), true );
		$args = $call ? split( array_slice( $tokens, $at + 2, closing( $tokens, $at + 1 ) - $at - 2 ), array( ',' ) ) : array();
		if ( $token->is( array( T_ECHO, T_PRINT, T_OPEN_TAG_WITH_ECHO ) ) ) {
			for ( $end = $at + 1; $end < count( $tokens ) && ';' !== $tokens[ $end ]->text && ! $tokens[ $end ]->is( T_CLOSE_TAG ); $end++ ) {
				$end = in_array( $tokens[ $end ]->text, array( '(', '[' ), true ) ? closing( $tokens, $end ) : $end;
			}
			if ( ! is_escaped( array_slice( $tokens, $at + 1, $end - $at - 1 ) ) ) {
				$say( $token, 'something is printed that is not escaped' );
			}
		}
		if ( $call && in_array( $token->text, PRINTERS, true ) && ( 'printf' !== $token->text || ! is_escaped( array_merge( ...array_map( static fn( array $arg ): array => array( ...$arg, new PhpToken( 44, ',' ) ), $args ) ) ) ) ) {
			$say( $token, "{$token->text}() prints something that is not escaped" );
		}
		if ( $call && isset( TRANSLATORS[ $token->text ] ) ) {
			foreach ( TRANSLATORS[ $token->text ] as $place ) {
				if ( 1 !== count( $args[ $place ] ?? array() ) || ! $args[ $place ][0]->is( T_CONSTANT_ENCAPSED_STRING ) ) {
					$say( $token, 'a text to translate is no literal' );
				}
			}
			$domain = end( $args );
			if ( false === $domain || "'nexpura'" !== $domain[0]->text || count( $args ) < 2 ) {
				$say( $token, 'a text is not of the domain nexpura' );
			}
		}
		if ( $call && 'register_rest_route' === $token->text ) {
			$inside = array_map( static fn( PhpToken $one ): string => $one->text, array_slice( $tokens, $at, closing( $tokens, $at + 1 ) - $at ) );
			if ( ! in_array( "'permission_callback'", $inside, true ) || in_array( "'__return_true'", $inside, true ) ) {
				$say( $token, 'a REST route asks for no permission' );
			}
		}
		if ( $call && 'wp_redirect' === $token->text ) {
			$say( $token, 'wp_redirect() leads anywhere: wp_safe_redirect()' );
		}
		if ( $call && 'add_action' === $token->text && preg_match( "~^['\"](admin_post_|wp_ajax_|admin_action_)~", $args[0][0]->text ?? '' ) ) {
			$end    = closing( $tokens, $at + 1 );
			$inside = array_map( static fn( PhpToken $one ): string => $one->text, array_slice( $tokens, $at, $end - $at ) );
			$asks   = array_search( 'require_permission', $inside, true );
			if ( str_contains( $args[0][0]->text, '_nopriv_' ) || false === $asks ) {
				$say( $token, 'an action is taken without asking for capability and nonce' );
			} else {
				$permitted[] = array( $at + $asks, $end );
			}
		}
		if ( $token->is( T_VARIABLE ) && in_array( $token->text, SENT, true ) ) {
			$allowed = array_filter( $permitted, static fn( array $range ): bool => $range[0] < $at && $at < $range[1] );
			if ( array() === $allowed ) {
				$say( $token, "{$token->text} is read before capability and nonce are asked for" );
			}
		}
		if ( $token->is( array( T_CONSTANT_ENCAPSED_STRING, T_INLINE_HTML ) ) && str_contains( $token->text, '<form' ) ) {
			$inside = array_map( static fn( PhpToken $one ): string => $one->text, array_slice( $tokens, $at, 30 ) );
			if ( ! in_array( 'wp_nonce_field', $inside, true ) ) {
				$say( $token, 'a form has no nonce' );
			}
		}
	}
	return $wrong;
}

$head = "<?php\ndefined( 'ABSPATH' ) || exit;\n";
$bad  = array(
	"<?php echo 'no guard';",
	$head . 'echo $name;',
	$head . "echo '<b>' . \$name . '</b>';",
	$head . "echo \"<b>\$name</b>\";",
	$head . "echo esc_html( \$a ) . get_option( 'b' );",
	$head . "echo esc_html( \$a )['b'] . (string) \$c;",
	$head . "echo \$is ? 'a' : \$b;",
	$head . '?><b><?= $name ?></b>',
	$head . "printf( '<b>%s</b>', \$name );",
	$head . "printf( \$format, esc_html( \$name ) );",
	$head . "printf( '%s', sprintf( '%s', \$name ) );",
	$head . 'print_r( $name );',
	$head . "_e( 'text', 'nexpura' );",
	$head . "esc_html_e( \$text, 'nexpura' );",
	$head . "return __( 'text', 'woocommerce' );",
	$head . "return __( 'text' );",
	$head . "return _n( 'one', \$many, 2, 'nexpura' );",
	$head . "register_rest_route( 'a', 'b', array( 'callback' => 'c' ) );",
	$head . "register_rest_route( 'a', 'b', array( 'permission_callback' => '__return_true' ) );",
	$head . 'wp_redirect( $url );',
	$head . "add_action( 'admin_post_nexpura_a', static function () { change(); } );",
	$head . "add_action( 'admin_post_nopriv_nexpura_a', static function () { require_permission( 'a' ); } );",
	$head . "add_action( 'wp_ajax_nexpura_a', 'change' );",
	$head . "add_action( 'admin_post_nexpura_a', static function () { \$a = \$_POST['a']; require_permission( 'a' ); } );",
	$head . "\$a = \$_GET['a'];",
	$head . "echo '<form method=\"post\"><button>Go</button></form>';",
);
$good = array(
	$head . "echo '<b>' . esc_html( \$name . other( \$a, \$b ) ) . '</b>', absint( \$n );",
	$head . "printf( '<b class=\"%s\">%s</b>', esc_attr( \$a ), \$b ? sprintf( '<i>%s</i>', esc_html( \$b ) ) : '' );",
	$head . "add_action( 'admin_post_nexpura_a', static function () { require_permission( 'a' ); \$a = \$_POST['a']; } );",
	$head . "echo '<form method=\"post\">'; wp_nonce_field( 'nexpura_a' );",
);
foreach ( $bad as $number => $code ) {
	if ( array() === wrongs( $code ) ) {
		fwrite( STDERR, "plugin_rules: the bad example $number passes:\n$code\n" );
		exit( 1 );
	}
}
foreach ( $good as $number => $code ) {
	foreach ( wrongs( $code ) as $wrong ) {
		fwrite( STDERR, "plugin_rules: the good example $number fails: $wrong\n$code\n" );
		exit( 1 );
	}
}

$plugin = dirname( __DIR__, 2 ) . '/wp-plugin';
$files  = array( ...glob( "$plugin/*.php" ), ...glob( "$plugin/includes/*.php" ) );
$failed = 0;
foreach ( $files as $file ) {
	foreach ( wrongs( file_get_contents( $file ) ) as $wrong ) {
		fwrite( STDERR, 'plugin_rules: ' . substr( $file, strlen( $plugin ) + 1 ) . ", $wrong\n" );
		++$failed;
	}
}
if ( $failed > 0 || count( $files ) < 20 ) {
	exit( 1 );
}
echo 'plugin_rules: ', count( $bad ), ' bad examples are found, ', count( $files ), " files are fine\n";
