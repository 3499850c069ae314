<?php
$before = nexpura_waiting('order');
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 84, 'created', '{"id":84}', null);
nexpura_capture('order', 84, 'updated', '{"id":84}', null);
nexpura_capture('product', 7, 'updated', '{"id":7}', null);
nexpura_mark('order', 90);
$orders = nexpura_waiting('order');
sort($orders);
$products = nexpura_waiting('product');
$odd = [nexpura_waiting('customer'), nexpura_waiting('coupon'), nexpura_waiting('order.*')];
nexpura_finish();
nexpura_drain(10);
$after = nexpura_waiting('order');
echo json_encode(compact('before', 'orders', 'products', 'odd', 'after'));
