<?php
// A child whose parent is gone, waiting between two captures for a sign.
nexpura_open(getenv('CONNECTION'));
nexpura_capture('order', 1, 'created', '{"id":1}', null);
if (0 !== pcntl_fork()) {
    exec('kill -9 ' . getmypid());
    exit(1);
}
nexpura_status();
fwrite(STDOUT, "ready\n");
for ($i = 0; $i < 2000 && !file_exists($argv[1]); ++$i) {
    usleep(10000);
    clearstatcache();
}
fwrite(STDOUT, nexpura_capture('order', 2, 'created', '{"id":2}', null) ? "captured\n" : "refused\n");
