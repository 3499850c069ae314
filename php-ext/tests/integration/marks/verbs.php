<?php
nexpura_open(getenv('CONNECTION'));
$sequences = [
    ['created', 'updated'], ['updated', 'created'], ['updated', 'deleted'], ['deleted', 'updated'],
    ['created', 'deleted'], ['updated', 'restored'], ['restored', 'updated'], ['deleted', 'restored'],
    ['restored', 'deleted'],
];
nexpura_mark('order', 1000);
foreach ($sequences as $index => $verbs) {
    foreach ($verbs as $verb) {
        nexpura_mark('order', $index + 1, $verb);
    }
}
$told = [];
foreach (nexpura_marks() as $mark) {
    $name = 1000 === $mark['id'] ? 'alone' : implode(', ', $sequences[$mark['id'] - 1]);
    $told[$name] = $mark['verb'];
}
echo json_encode($told);
