<?php
// The entry that an administrator would write, and what a test varies of it; the test writes both.
$folder = getenv('TEST_FOLDER');
require "$folder/service.php";
$how = json_decode(file_get_contents("$folder/how.json"), true);
$metadata['urn:amazon:webservices'] = $how + $metadata['urn:amazon:webservices'];
