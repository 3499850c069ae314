<?php
nexpura_open(getenv('CONNECTION'));
$began = hrtime(true);
$marked = 0;
for ($id = 1; $id <= 30; ++$id) {
    $marked += (int) nexpura_mark('order', $id);
}
$milliseconds = (hrtime(true) - $began) / 1e6;
echo json_encode(['marked' => $marked, 'known' => count(nexpura_marks()), 'milliseconds' => $milliseconds]);
