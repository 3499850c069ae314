<?php
// Reports each event only once the extension says that it is kept.
nexpura_open(getenv('CONNECTION'));
for ($i = 1; $i < 100000; ++$i) {
    $id = $argv[1] * 1000000 + $i;
    nexpura_mark('order', $id, 'created');
    if (nexpura_capture('order', $id, 'created', '{"id":' . $id . '}', null)) {
        fwrite(STDOUT, "$id\n");
    }
}
