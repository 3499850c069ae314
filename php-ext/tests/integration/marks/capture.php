<?php
nexpura_open(getenv('CONNECTION'));
$payload = '{"id":84,"total":"212.119091","rate":212.119091,"name":"Ring \u00e9 é"}';
echo json_encode([
    nexpura_capture('order', 84, 'deleted', $payload, '{"rev":7}'),
    nexpura_capture('product', 12, 'updated', null, '{"parent_id":11}'),
    nexpura_capture('customer', 3, 'created', '{"broken', null),
    nexpura_lineage('before "this"', 'after'),
]);
