# Runs the script once for each line of the standard input, each time in a session of its own, and prints what it said as
# one line of JSON. One process for many runs, because PowerShell takes seconds to start.

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $run = $line | ConvertFrom-Json -AsHashtable
    $env:STATE = $run.state
    $env:PSModulePath = $run.modulePath
    $env:RETRY_SECONDS = '0'
    $session = [powershell]::Create()
    $null = $session.AddScript({
            param($Run)
            # As signing in does.
            foreach ($module in $Run.imported) { Import-Module $module }
            $parameters = $Run.parameters
            $said = & $Run.script @parameters *>&1 | Out-String -Width 1000
            @{ status = $LASTEXITCODE; said = $said }
        }).AddArgument($run)
    try {
        $result = $session.Invoke()
        $problems = @($session.Streams.Error | ForEach-Object { "$_" }) -join "`n"
        $answer = @{ status = $result[-1].status; said = $result[-1].said; problems = $problems }
    }
    catch { $answer = @{ status = 1; said = ''; problems = "$_" } }
    finally { $session.Dispose() }
    [Console]::Out.WriteLine((ConvertTo-Json $answer -Compress))
}
