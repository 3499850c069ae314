<?php
nexpura_open(getenv('CONNECTION'));
nexpura_mark('order', 84, 'created');
echo 'marked';
