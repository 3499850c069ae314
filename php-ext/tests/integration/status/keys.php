<?php
$without = nexpura_status();
nexpura_open(getenv('CONNECTION'));
echo json_encode([
    'without' => array_keys($without),
    'missing' => $without['last_error'],
    'with' => array_keys(nexpura_status()),
]);
