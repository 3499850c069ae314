<?php
umask(0);
nexpura_open(getenv('CONNECTION'));
nexpura_mark('order', 84);
$spool = nexpura_status()['spool'];
$mode = fn (string $path) => decoct(fileperms($path) & 0777);
$files = [];
foreach (glob($spool . '*') as $file) {
    $files[basename($file)] = $mode($file);
}
echo json_encode(['spool' => $spool, 'directory_mode' => $mode(dirname($spool)), 'files' => $files]);
