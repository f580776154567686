# Completions of anyvpn for PowerShell.
Register-ArgumentCompleter -Native -CommandName anyvpn -ScriptBlock {
    param($word, $ast, $position)
    $before = $ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position }
    $words = @($before | ForEach-Object { $_.Extent.Text }) + "$word"
    $words | anyvpn complete 2>$null | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        # Without an answer PowerShell takes the names of files.
        if ($value -notlike '*:files') {
            if (-not $about) { $about = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
        }
    }
}
