<?php
nexpura_open($_SERVER['CONNECTION']);
if (nexpura_mark('order', (int) $_GET['id'], 'created')) {
    exec('kill -9 ' . getmypid());
    sleep(60);
}
