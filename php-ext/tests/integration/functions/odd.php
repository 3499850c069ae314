<?php
// Passes everything that a PHP variable can hold to every function, in every place.

$complaints = [];
set_error_handler(function (int $level, string $message) use (&$complaints) {
    $complaints[] = $message;
    return true;
});
ob_start();

$object = new class {
    public function __toString(): string
    {
        throw new LogicException('nobody may ask for this');
    }
};
$reference = 'order';
$odd = [
    null, true, false, 0, -1, 1, 84, PHP_INT_MAX, PHP_INT_MIN, 1.5, 84.0, -0.0, NAN, INF, -INF, 1e300,
    '', ' ', 'x', "\0", 'order', 'product', 'customer', 'lineage', 'created', 'deleted', '84', '84abc',
    '99999999999999999999', "\xff\xfe", str_repeat('a', 70000), '{}', '{"a":', '[]', 'null', '"text"',
    '{"rev":"text"}', str_repeat('[', 10000), '{"a":"' . "\u{1F48D}" . '"}',
    [], [1], ['resource' => 'order'], new stdClass(), $object, fopen('php://memory', 'r'), fn () => 1, &$reference,
];
$returns = [
    'nexpura_open' => ['NULL', 'string'],
    'nexpura_mark' => ['boolean'],
    'nexpura_marks' => ['array'],
    'nexpura_capture' => ['boolean'],
    'nexpura_finish' => ['boolean'],
    'nexpura_lineage' => ['boolean'],
    'nexpura_status' => ['array'],
    'nexpura_waiting' => ['array'],
    'nexpura_drain' => ['array'],
];
$calls = 0;
$wrong_types = [];
$call = function (string $name, array $arguments) use (&$calls, &$complaints, &$wrong_types, $returns) {
    ++$calls;
    try {
        $answer = $name(...$arguments);
        if (!in_array(gettype($answer), $returns[$name], true)) {
            $wrong_types[] = $name . ': ' . gettype($answer);
        }
    } catch (Throwable $thrown) {
        $complaints[] = get_class($thrown) . ': ' . $thrown->getMessage();
    }
};

foreach ([false, true] as $connected) {
    foreach (array_keys($returns) as $name) {
        // A drain waits by design: it gets no time, and few tries.
        $some = 'nexpura_drain' === $name ? [null, false, 0, -1, '', [], NAN, "\xff"] : $odd;
        $call($name, []);
        foreach ($some as $first) {
            $call($name, [$first]);
            if ('nexpura_drain' === $name) {
                continue;
            }
            foreach ($odd as $second) {
                $call($name, [$first, $second]);
                if ('nexpura_capture' === $name) {
                    $call($name, ['order', 84, 'updated', $first, $second]);
                    $call($name, [$first, $second, $first, $second, $first, $second]);
                }
                if ('nexpura_mark' === $name) {
                    $call($name, ['product', $first, $second]);
                }
            }
            if ($connected) {
                nexpura_open(getenv('CONNECTION'));
            }
        }
    }
    nexpura_open(getenv('CONNECTION'));
}
$printed = ob_get_clean();
if ('' !== $printed) {
    $complaints[] = 'printed: ' . $printed;
}
echo json_encode(compact('calls', 'complaints', 'wrong_types'), JSON_PARTIAL_OUTPUT_ON_ERROR);
