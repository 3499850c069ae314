<?php
nexpura_open(getenv('CONNECTION'));
for ($id = 1; $id <= 250; ++$id) {
    nexpura_capture('order', $id, 'created', json_encode(['id' => $id]), null);
}
nexpura_finish();
echo json_encode(nexpura_drain(2));
