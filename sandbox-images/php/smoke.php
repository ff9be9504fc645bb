<?php
// The php image: multibyte strings and JSON.
$words = json_decode('["smoke", "ök"]');
if (mb_strlen($words[1]) === 2) echo $words[0], " ok\n";
