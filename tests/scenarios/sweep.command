# How many SMs should communication get? Three schedules at 4, 20, 40 and, too many, 200.
pipescope sweep dualpipe.yaml --grid communication.sms=4,20,40,200 --schedules 1f1b,zb1p,dualpipe
